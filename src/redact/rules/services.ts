/** Keys of services that programs talk to. */
import type { Rule } from '../rule.ts'
import { MIXED, START, token, URL_SAFE, WORD, type Row } from './token.ts'

const ROWS: readonly Row[] = [
  {
    id: 'slack-token',
    title: 'Slack token',
    anchors: ['xox', 'xapp-'],
    pattern: `${START}(?:xox[a-z](?:\\.xox[a-z])?|xapp)-(?=[A-Za-z-]{0,99}[0-9])[A-Za-z0-9-]{10}[A-Za-z0-9%/+=-]{8,}`,
    secret: (random) => `xoxb-123456789012-123456789012-${random(24)}`,
  },
  {
    id: 'stripe-key',
    title: 'Stripe key',
    anchors: ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_', 'sk_org_', 'whsec_'],
    pattern: `${WORD}(?:[sr]k_(?:live|test|org)_[A-Za-z0-9_]{16,}|whsec_[A-Za-z0-9+/=]{24,})`,
    secret: (random) => `sk_live_${random(24)}`,
  },
  {
    id: 'anthropic-key',
    title: 'Anthropic key',
    anchors: ['sk-ant-'],
    pattern: `${START}sk-ant-${URL_SAFE}{20,}`,
    secret: (random) => `sk-ant-api03-${random(93)}AA`,
  },
  {
    id: 'openai-key',
    title: 'OpenAI key',
    anchors: ['sk-'],
    pattern: `${START}sk-(?:(?:proj|svcacct|admin|None)-${MIXED}${URL_SAFE}{20,}|[A-Za-z0-9]{12,40}T3BlbkFJ[A-Za-z0-9]{12,})`,
    secret: (random) => `sk-proj-${random(74)}T3BlbkFJ${random(73)}`,
  },
  {
    id: 'sk-key',
    title: 'Key of a service that begins with sk-',
    anchors: ['sk-'],
    pattern: `${START}sk-(?:[a-z]{2,8}-(?:v\\d-)?)?${MIXED}[A-Za-z0-9]{32,}`,
    secret: (random) => `sk-${random(48)}`,
  },
  {
    id: 'groq-key',
    title: 'Groq key',
    anchors: ['gsk_'],
    pattern: `${WORD}gsk_${MIXED}[A-Za-z0-9]{40,}`,
    secret: (random) => `gsk_${random(52)}`,
  },
  {
    id: 'huggingface-token',
    title: 'Hugging Face token',
    anchors: ['hf_'],
    pattern: `${START}hf_${MIXED}[A-Za-z0-9]{30,}`,
    secret: (random) => `hf_${random(34)}`,
  },
  {
    id: 'sendgrid-key',
    title: 'SendGrid key',
    anchors: ['sg.'],
    pattern: `${START}SG\\.${URL_SAFE}{16,64}\\.${URL_SAFE}{32,}`,
    secret: (random) => `SG.${random(22)}.${random(43)}`,
  },
  {
    id: 'shopify-token',
    title: 'Shopify token',
    anchors: ['shpat_', 'shpca_', 'shppa_', 'shpss_'],
    pattern: `${WORD}shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32,}`,
    secret: (random) => `shpat_${random(32, 'hex')}`,
  },
  {
    id: 'telegram-token',
    title: 'Telegram bot token',
    anchors: [':aa'],
    pattern: `(?<=(?<![0-9])[0-9]{8,10}):(?<secret>AA${URL_SAFE}{33,})`,
    secret: (random) => `AA${random(33)}`,
    around: ['123456789:', ''],
  },
  {
    id: 'grafana-token',
    title: 'Grafana token',
    anchors: ['glsa_', 'glc_'],
    pattern: `${WORD}(?:glsa_[A-Za-z0-9]{32}_[a-f0-9]{8,}|glc_[A-Za-z0-9+/=]{32,})`,
    secret: (random) => `glsa_${random(32)}_${random(8, 'hex')}`,
  },
]

export const SERVICE_RULES: readonly Rule[] = ROWS.map(token)
