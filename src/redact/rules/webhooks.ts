/** Addresses that are secrets themselves: whoever knows one may post. */
import { matching } from '../find.ts'
import type { Rule } from '../rule.ts'

/** JSON may escape a slash; in a URL within a URL it is percent-encoded, perhaps more than once. */
const S = String.raw`(?:\\?/|%(?:25){0,2}2f)`
const PATH = String.raw`(?:\\/|%(?:25){0,2}(?:2f|40)|[\w/@-])`

/** By host: what the path looks like. */
const FORMS = {
  'hooks.slack.com': String.raw`hooks\.slack\.com${S}(?:services|workflows|triggers)${S}(?<secret1>${PATH}{16,})`,
  'discord.com': String.raw`discord\.com${S}api${S}(?:v\d{1,2}${S})?webhooks${S}\d{5,25}${S}(?<secret2>[\w-]{20,})`,
  'discordapp.com': String.raw`discordapp\.com${S}api${S}(?:v\d{1,2}${S})?webhooks${S}\d{5,25}${S}(?<secret3>[\w-]{20,})`,
  '.webhook.office.com': String.raw`\.webhook\.office\.com${S}\w{1,20}${S}(?<secret4>${PATH}{20,})`,
  'outlook.office.com': String.raw`outlook\.office(?:365)?\.com${S}webhook${S}(?<secret5>${PATH}{20,})`,
  'outlook.office365.com': String.raw`outlook\.office365\.com${S}webhook${S}(?<secret6>${PATH}{20,})`,
  'api.telegram.org': String.raw`api\.telegram\.org${S}(?:file${S})?bot\d{5,12}(?::|%(?:25){0,2}3a)(?<secret7>[\w-]{20,})`,
  'hooks.zapier.com': String.raw`hooks\.zapier\.com${S}hooks${S}catch${S}(?<secret8>${PATH}{8,})`,
}

export const WEBHOOK_RULES: readonly Rule[] = [
  {
    id: 'webhook-url',
    title: 'Webhook of Slack, Discord, Teams, Telegram or Zapier',
    anchors: Object.keys(FORMS),
    rank: 1,
    ...matching('webhook-url', new RegExp(Object.values(FORMS).join('|'), 'i')),
    canary: (random) => {
      const secret = `T${random(8, 'upper')}/B${random(10, 'upper')}/${random(24)}`
      return { text: `notify: https://hooks.slack.com/services/${secret}\n`, secrets: [secret] }
    },
  },
]
