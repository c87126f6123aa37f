/** Keys of clouds, registries and secret stores. */
import type { Rule } from '../rule.ts'
import { START, token, URL_SAFE, WORD, type Row } from './token.ts'

const ROWS: readonly Row[] = [
  {
    id: 'aws-access-key-id',
    title: 'AWS access key id',
    anchors: ['akia', 'asia', 'abia', 'acca'],
    pattern: `${WORD}(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}`,
    secret: (random) => `AKIA${random(16, 'upper')}`,
  },
  {
    id: 'gcp-api-key',
    title: 'Google API key',
    anchors: ['aiza'],
    pattern: `${START}AIza${URL_SAFE}{35,}`,
    secret: (random) => `AIza${random(35)}`,
  },
  {
    id: 'gcp-oauth-token',
    title: 'Google OAuth access token',
    anchors: ['ya29.'],
    pattern: `${START}ya29\\.${URL_SAFE}{20,}`,
    secret: (random) => `ya29.${random(80)}`,
  },
  {
    id: 'gcp-client-secret',
    title: 'Google OAuth client secret',
    anchors: ['gocspx-'],
    pattern: `${START}GOCSPX-${URL_SAFE}{20,}`,
    secret: (random) => `GOCSPX-${random(28)}`,
  },
  {
    // The three characters before the mark of the format were sent when it is found: they stay.
    id: 'azure-client-secret',
    title: 'Azure client secret',
    anchors: ['7q~', '8q~'],
    pattern: '(?<=[A-Za-z0-9_~.-]{3})[78]Q~[A-Za-z0-9_~.-]{31,}',
    secret: (random) => `8Q~${random(34)}`,
    around: ['abc', ''],
  },
  {
    id: 'azure-signature',
    title: 'Azure shared access signature',
    anchors: ['sharedaccesssignature'],
    pattern: String.raw`[Ss]hared[Aa]ccess[Ss]ignature[= ](?:\w{1,20}=[^\s"'&<>]{0,1000}&){0,9}sig=(?<secret>[^\s"'&;<>]{20,})`,
    secret: (random) => `${random(43)}%3D`,
    around: ['SharedAccessSignature sr=hub&sig=', '&se=1790000000'],
  },
  {
    id: 'digitalocean-token',
    title: 'DigitalOcean token',
    anchors: ['dop_v1_', 'doo_v1_', 'dor_v1_'],
    pattern: `${WORD}do[opr]_v1_[a-f0-9]{64,}`,
    secret: (random) => `dop_v1_${random(64, 'hex')}`,
  },
  {
    id: 'cloudflare-token',
    title: 'Cloudflare token or Origin CA key',
    anchors: ['v1.0-', 'cfk_', 'cfut_', 'cfat_'],
    pattern: `${START}(?:v1\\.0-[a-f0-9]{24}-[a-f0-9]{100,}|cf(?:k|ut|at)_[A-Za-z0-9]{40,})`,
    secret: (random) => `v1.0-${random(24, 'hex')}-${random(146, 'hex')}`,
  },
  {
    id: 'vault-token',
    title: 'HashiCorp Vault token',
    anchors: ['hvs.', 'hvb.', 'hvr.'],
    pattern: `${START}hv[sbr]\\.${URL_SAFE}{24,}`,
    secret: (random) => `hvs.${random(24)}`,
  },
  {
    id: 'docker-token',
    title: 'Docker Hub access token',
    anchors: ['dckr_pat_', 'dckr_oat_'],
    pattern: `${WORD}dckr_[po]at_${URL_SAFE}{20,}`,
    secret: (random) => `dckr_pat_${random(27)}`,
  },
  {
    id: 'tailscale-key',
    title: 'Tailscale key',
    anchors: ['tskey-'],
    pattern: `${START}tskey-[a-z]{2,12}-(?=[A-Za-z-]{0,99}[0-9])[A-Za-z0-9-]{16,}`,
    secret: (random) => `tskey-auth-k${random(11)}CNTRL-1${random(31)}`,
  },
  {
    id: 'age-secret-key',
    title: 'age secret key',
    anchors: ['age-secret-key-'],
    pattern: `${WORD}(?:AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{58,}|age-secret-key-(?:pq-)?1[0-9a-z]{58,})`,
    secret: (random) => `AGE-SECRET-KEY-1${random(58, 'upper')}`,
  },
]

export const CLOUD_RULES: readonly Rule[] = ROWS.map(token)
