/** Rises whenever the rules mask more within one version of diagd: what was stored under a lower one is masked again on its way into a bundle. */
export const RULES_REVISION = 2
