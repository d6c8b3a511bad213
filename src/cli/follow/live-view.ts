import type { FollowEvent, HalfKindJson } from '../../framework/api/wire.ts'
import type { Context } from '../context.ts'
import { writeDuration, writeLimit } from '../print/duration.ts'
import { cutText } from '../print/table.ts'
import { isWaitedFor, linesOf } from './event-lines.ts'
import type { FollowView } from './view.ts'

/** Milliseconds between two frames: fast enough to look alive, slow enough to cost nothing. */
const FRAME_MS = 100
/** Rows that show the moment, at most: they are drawn over each other and must fit on the screen. */
const ROWS_MAX = 12

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** One half that is running now. */
interface Running {
  readonly logicalHost: string
  readonly host: string
  readonly half: HalfKindJson
  /** Of the step that is shown, or of the half as long as no step has been running for a while. */
  readonly sinceMs: number
  readonly what: string
  readonly timeoutMs: number | undefined
}

const WHAT: Readonly<Record<HalfKindJson, string>> = {
  'give-up': 'gives it up',
  'take-on': 'takes it on',
  adjust: 'changes its services',
  'watch-start': 'starts the fault monitors',
  'watch-stop': 'stops the fault monitors',
}

/** Shows what has happened as lines that stay, and below them what runs now, redrawn several times a second. */
export function createLiveView(context: Context): FollowView {
  const running = new Map<string, Running>()
  const ended = new AbortController()
  let drawnRows = 0
  let frame = 0

  function erase(): string {
    return drawnRows === 0 ? '' : `\u001b[${drawnRows}A\u001b[0J`
  }

  function draw(lines: readonly string[]): void {
    const now = ended.signal.aborted ? [] : momentRows(running, context, FRAMES[frame % FRAMES.length] ?? '')
    const whole = [...lines, ...now].map((line) => `${line}\n`).join('')
    context.stdout.write(`${erase()}${whole}`)
    drawnRows = now.length
  }

  async function animate(): Promise<void> {
    while (!ended.signal.aborted) {
      await context.sleep(FRAME_MS, ended.signal)
      frame += 1
      if (!ended.signal.aborted && running.size > 0) draw([])
    }
  }

  void animate()
  return {
    show: (event) => {
      note(running, event, context.nowMs())
      // What starts and what goes on is shown by the moment; only what ended stays on the screen.
      const isMoment = event.kind === 'half-started' || event.kind === 'progress'
      draw(isMoment ? [] : linesOf(event))
    },
    close: () => {
      ended.abort()
      draw([])
    },
  }
}

function note(running: Map<string, Running>, event: FollowEvent, nowMs: number): void {
  if (event.kind === 'half-started' && isWaitedFor(event.half)) {
    const { logicalHost, host, half } = event
    running.set(keyOf(event), { logicalHost, host, half, sinceMs: nowMs, what: WHAT[half], timeoutMs: undefined })
  }
  if (event.kind === 'progress' && isWaitedFor(event.progress.half)) {
    const { logicalHost, host, half, sentence, step, steps, timeoutMs } = event.progress
    const what = `${sentence} (step ${step} of ${steps})`
    running.set(keyOf(event.progress), { logicalHost, host, half, sinceMs: nowMs, what, timeoutMs })
  }
  if (event.kind === 'half-ended') running.delete(keyOf(event.half))
  if (event.kind === 'end') running.clear()
}

function keyOf({ logicalHost, host }: { readonly logicalHost: string; readonly host: string }): string {
  return `${logicalHost}/${host}`
}

function momentRows(running: ReadonlyMap<string, Running>, context: Context, spinner: string): readonly string[] {
  const rows = [...running.values()].map(({ logicalHost, host, what, sinceMs, timeoutMs }) => {
    const limit = timeoutMs === undefined ? '' : ` of ${writeLimit(timeoutMs)}`
    return `${spinner} ${logicalHost}: ${host}: ${what}  ${writeDuration(context.nowMs() - sinceMs)}${limit}`
  })
  const shown =
    rows.length > ROWS_MAX ? [...rows.slice(0, ROWS_MAX - 1), `  and ${rows.length - ROWS_MAX + 1} more`] : rows
  // A line that is wrapped by the terminal would make the next erasure miss.
  return shown.map((row) => cutText(row, context.stdout.columns - 1))
}
