/** Tokens of forges and package registries, JWT, and diagd's own. */
import type { Rule } from '../rule.ts'
import { MIXED, START, token, URL_SAFE, WORD, type Row } from './token.ts'

/** `{"`, `{ "` and `{\n` in base64: how a JWT begins. */
const JWT_HEADS = ['eyj', 'eyai', 'ewog', 'ewoj']

const GITLAB = ['pat', 'oas', 'dt', 'rt', 'rtr', 'cbt', 'ptt', 'ft', 'imt', 'agent', 'soat', 'ffct', 'wt']

const ROWS: readonly Row[] = [
  {
    id: 'github-token',
    title: 'GitHub token',
    anchors: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    pattern: `${WORD}(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{20}[A-Za-z0-9_]{20,})`,
    secret: (random) => `ghp_${random(36)}`,
  },
  {
    id: 'gitlab-token',
    title: 'GitLab token',
    anchors: [...GITLAB.map((kind) => `gl${kind}-`), 'gr1348941'],
    pattern: `${START}(?:gl(?:${GITLAB.join('|')})-${MIXED}${URL_SAFE}{20,}(?:\\.${URL_SAFE}{2,}){0,2}|GR1348941${URL_SAFE}{20,})`,
    secret: (random) => `glpat-${random(20)}`,
  },
  {
    id: 'npm-token',
    title: 'npm token',
    anchors: ['npm_'],
    pattern: `${WORD}npm_${MIXED}[A-Za-z0-9]{36,}`,
    secret: (random) => `npm_${random(36)}`,
  },
  {
    id: 'pypi-token',
    title: 'PyPI token',
    anchors: ['pypi-agei'],
    pattern: `${START}pypi-AgEI${URL_SAFE}{50,}`,
    secret: (random) => `pypi-AgEIcHlwaS5vcmc${random(120)}`,
  },
  {
    id: 'jwt',
    title: 'JSON web token',
    anchors: JWT_HEADS,
    pattern: `${START}e[yw][A-Za-z0-9_-]{10,}\\.(?:[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+){0,2}|[A-Za-z0-9_-]{4096,})`,
    secret: (random) => {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      return `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ sub: random(12) })}.${random(342)}`
    },
  },
  {
    id: 'diagd-token',
    title: "diagd's own token",
    anchors: ['diagd_'],
    pattern: `${START}diagd_${MIXED}${URL_SAFE}{43,}`,
    secret: (random) => `diagd_${random(43)}`,
  },
]

export const FORGE_RULES: readonly Rule[] = ROWS.map(token)
