import type { ProbeAnswer } from '../../model/network.ts'
import type { AdapterLink } from '../../ports/links.ts'
import { addressBytes, framesFor, hardwareBytes } from '../address/frames.ts'
import { type Exchange, exchange, runFrames } from '../address/raw-socket.ts'
import type { RunCommand } from '../run-command.ts'

/** More would only be more of the same: one answer is enough. */
const ASKED_MAX = 16
/** One question alone may be lost. */
const QUESTIONS = 2

/**
 * Asks over an adapter who has these addresses, in the way of duplicate detection: it needs no address of its own there, so an adapter that stands by can be
 * tested as well, and it leaves no trace in anybody's neighbour table. One answer of anybody is enough. Rejects with `CommandError`.
 */
export async function askAround(
  run: RunCommand,
  asked: {
    readonly link: AdapterLink
    readonly addresses: readonly string[]
    readonly waitMs: number
    readonly signal: AbortSignal
  },
): Promise<ProbeAnswer> {
  const { link, waitMs, signal } = asked
  const hardware = hardwareBytes(link.hardware)
  if (link.linkType !== 'ether' || hardware.length !== 6) return 'nobody-to-ask'
  const frames = asked.addresses.slice(0, ASKED_MAX).flatMap((text) => {
    const bytes = addressBytes(text)
    return bytes === undefined ? [] : [framesFor(bytes, hardware)]
  })
  if (frames.length === 0) return 'nobody-to-ask'
  const types = [...new Set(frames.map(({ type }) => type))]
  const answers = await Promise.all(
    types.map(async (type) => {
      const ofType = frames.filter((frame) => frame.type === type)
      const made: Exchange = {
        adapter: { index: link.index, hardware },
        type,
        send: ofType.map(({ probe }) => probe),
        expect: ofType.flatMap(({ conflicts }) => conflicts.slice(0, 1)),
        times: { probes: QUESTIONS, betweenMs: waitMs / QUESTIONS, waitMs: waitMs / QUESTIONS },
        signal,
      }
      return (await exchange(runFrames(run), made)).stdout.trim() !== ''
    }),
  )
  return answers.includes(true) ? 'answered' : 'unanswered'
}
