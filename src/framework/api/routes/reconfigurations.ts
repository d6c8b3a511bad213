import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { HaError } from '../../errors/ha-error.ts'
import type { Reconfiguration } from '../../model/reconfiguration.ts'
import { follow } from '../follow.ts'
import { operatorOf } from '../operator.ts'
import { parseRequest } from '../parse-request.ts'
import { lastTouching } from '../reconfiguration-state.ts'
import {
  emptyShape,
  historyShape,
  lastShape,
  nameShape,
  numberShape,
  requestShape,
  submitShape,
} from '../request-shapes.ts'
import type { RouteContext } from '../route-context.ts'
import { showPlan, warnOfCause } from '../show-plan.ts'
import { toCause } from '../to-cause.ts'
import { viewHistory } from '../views/history-view.ts'
import { viewTimeline } from '../views/timeline-view.ts'
import type { FollowEvent, HistoryJson, PlanJson, SubmittedJson, TimelineJson } from '../wire.ts'

/** Milliseconds that a request waits for a logical host in motion when it does not say. */
const BUSY_WAIT_MS = 30_000
/** Readers that follow something at the same time; each costs a look at every change. */
const FOLLOWERS_MAX = 64

/** Adds what plans, carries out and shows reconfigurations. */
export function addReconfigurationRoutes(app: FastifyInstance, context: RouteContext): void {
  const { services, facts } = context

  app.post('/v1/plans', async (request): Promise<PlanJson> => {
    const wanted = parseRequest(requestShape, request.body, 'request')
    return showPlan(context, toCause(services.state(), wanted, operatorOf(request)))
  })

  app.post('/v1/plans/:name/apply', async (request): Promise<SubmittedJson> => {
    parseRequest(emptyShape, request.body, 'request')
    const reconfiguration = await services.apply(parseRequest(nameShape, request.params, 'path').name)
    // Whoever applies a plan has read its warnings.
    return { reconfiguration, warnings: [] }
  })

  app.post('/v1/reconfigurations', async (request): Promise<SubmittedJson> => {
    const { request: wanted, busyWaitMs = BUSY_WAIT_MS } = parseRequest(submitShape, request.body, 'request')
    const cause = toCause(services.state(), wanted, operatorOf(request))
    const reconfiguration = await services.submit(cause, { busyWaitMs })
    return { reconfiguration, warnings: await warnOfCause(context, cause) }
  })

  app.get('/v1/reconfigurations', async (request): Promise<HistoryJson> => {
    const { last } = parseRequest(historyShape, request.query, 'query')
    const runsOf = services.halfRuns.bind(services)
    const guardReports = services.guardReports()
    return viewHistory({ state: services.state(), kept: services.reconfigurations(), runsOf, guardReports }, last)
  })

  app.get('/v1/reconfigurations/:number', async (request): Promise<TimelineJson> => {
    const last = isLast(request.params) ? lastTouching(services.reconfigurations()) : undefined
    const reconfiguration = last ?? findReconfiguration(context, request.params)
    return viewTimeline({
      state: services.state(),
      reconfiguration,
      runs: services.halfRuns(reconfiguration.number),
      kept: services.reconfigurations(),
      progress: services.progress(),
      nowWallMs: facts.effects.nowWallMs(),
    })
  })

  addFollowRoute(app, context)
}

function addFollowRoute(app: FastifyInstance, context: RouteContext): void {
  let followers = 0
  app.get('/v1/reconfigurations/:number/follow', async (request, reply) => {
    const first = findReconfiguration(context, request.params)
    if (followers >= FOLLOWERS_MAX) {
      throw new HaError('LIMIT_REACHED', `${FOLLOWERS_MAX} readers follow reconfigurations already`, {
        hint: `It goes on all the same; look at it with 'scadmin timeline ${first.number}'.`,
      })
    }
    followers += 1
    const gone = new AbortController()
    reply.raw.on('close', () => {
      followers -= 1
      gone.abort()
    })
    const signal = AbortSignal.any([gone.signal, context.closing])
    const lines = toLines(follow(context.services, first, { effects: context.facts.effects, signal }))
    return reply.header('content-type', 'application/x-ndjson').send(Readable.from(lines))
  })
}

async function* toLines(events: AsyncIterable<FollowEvent>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`
}

function findReconfiguration({ services }: RouteContext, params: unknown): Reconfiguration {
  const kept = services.reconfigurations()
  const [oldest, newest] = [kept[0], kept.at(-1)]
  if (oldest === undefined || newest === undefined) {
    throw new HaError('NOT_FOUND', 'nothing was reconfigured yet')
  }
  if (isLast(params)) return newest
  const { number } = parseRequest(numberShape, params, 'path')
  const found = kept.find((reconfiguration) => reconfiguration.number === number)
  if (found !== undefined) return found
  throw new HaError('NOT_FOUND', `reconfiguration ${number} is not kept`, {
    hint: `Kept are ${oldest.number} to ${newest.number}: scadmin history`,
  })
}

function isLast(params: unknown): boolean {
  return parseRequest(lastShape, params, 'path').number === 'last'
}
