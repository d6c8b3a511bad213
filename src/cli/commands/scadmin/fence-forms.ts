import { HaError } from '../../../framework/errors/ha-error.ts'
import { type Context, printJson, printLine } from '../../context.ts'
import { followReconfiguration } from '../../follow/follow-reconfiguration.ts'
import { scadminForm } from './scadmin-options.ts'

const hostWord = { name: 'host', value: 'HOST', describe: 'the physical host', completes: 'physical-host' } as const

/** Fences a host, and takes an operator's word that one is off. */
export const fenceForms = [
  scadminForm({
    summary: 'switch a host off with its fence devices, and let the others take over what it held',
    verb: ['fence'],
    words: [hostWord],
    optional: ['yes', 'reason', 'evenIfAlive', 'json'],
    run: async ({ options, words }, context) => {
      const { host } = words
      await confirm(context, options.yes, `${host} will be switched off at once, with everything that runs on it.`)
      const fenced = await context.api.fence({
        host,
        evenIfAlive: options.evenIfAlive,
        ...(options.reason !== undefined && { reason: options.reason }),
      })
      const seconds = (fenced.tookMs / 1000).toFixed(2)
      if (context.json) printJson(context, fenced)
      else printLine(context, `${host} is off: ${fenced.devices.join(' and ')} confirmed it after ${seconds} s.`)
      return follow(context, fenced.reconfiguration)
    },
  }),
  scadminForm({
    summary: 'say that a host is off, where no device can: the others take over what it held',
    verb: ['confirm-down'],
    words: [hostWord],
    required: ['reason'],
    optional: ['yes', 'json'],
    run: async ({ options, words }, context) => {
      const { host } = words
      const danger = `If ${host} still runs, two hosts will write to the same disks, and the data on them will be destroyed.`
      await confirm(context, options.yes, `You say that you have seen yourself that ${host} has no power. ${danger}`)
      const confirmed = await context.api.confirmDown({ host, reason: options.reason ?? '' })
      if (context.json) printJson(context, confirmed)
      else if (confirmed.reconfiguration === null) printLine(context, `${host} is noted as off; it was no member.`)
      else printLine(context, `${host} is given up as off.`)
      return follow(context, confirmed.reconfiguration)
    },
  }),
]

/** Whoever is at a terminal is asked; a script has to say so. Throws `USAGE`, `ABORTED`. */
async function confirm(context: Context, isSaid: boolean, danger: string): Promise<void> {
  if (isSaid) return
  if (context.ask === undefined) {
    throw new HaError('USAGE', `nobody can be asked here. ${danger}`, { hint: 'If that is what is wanted, say --yes.' })
  }
  const answer = await context.ask(`${danger}\nType yes to go on: `)
  if (answer.trim().toLowerCase() !== 'yes') throw new HaError('ABORTED', 'nothing was done')
}

async function follow(context: Context, reconfiguration: number | null): Promise<number> {
  return reconfiguration === null || context.json ? 0 : followReconfiguration(context, reconfiguration)
}
