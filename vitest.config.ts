import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/system/**'],
    // Real processes and sockets need their time on a loaded machine; a test that hangs still ends.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    retry: 0,
    pool: 'forks',
  },
})
