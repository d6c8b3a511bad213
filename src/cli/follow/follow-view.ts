import { type Context, printLine } from '../context.ts'
import { linesOf } from './event-lines.ts'
import { createLiveView } from './live-view.ts'
import type { FollowView } from './view.ts'

/** Makes the view that fits: live lines on a terminal, plain lines elsewhere, nothing beside `--json`. */
export function createFollowView(context: Context): FollowView {
  if (context.json) return { show: () => undefined, close: () => undefined }
  const isLive = context.stdout.isTerminal && context.environment['TERM'] !== 'dumb'
  return isLive ? createLiveView(context) : createPlainView(context)
}

function createPlainView(context: Context): FollowView {
  return {
    show: (event) => {
      for (const line of linesOf(event)) printLine(context, line)
    },
    close: () => undefined,
  }
}
