import packageJson from '../package.json' with { type: 'json' }

/** Semantic version of diagd. */
export const VERSION: string = packageJson.version
