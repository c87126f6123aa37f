import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Real processes and sockets need their time on a loaded machine; a test that hangs still ends.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    retry: 0,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'here',
          include: ['test/**/*.test.ts'],
          exclude: ['test/system/**'],
          // Not 0: vitest runs that group after the others.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        // Machines of their own, see docs/testing.md. After all the others, so that neither starves the other.
        test: {
          name: 'system',
          include: ['test/system/*.test.ts'],
          globalSetup: ['test/system/harness/global-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // A machine waits more than it computes.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
