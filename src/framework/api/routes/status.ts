import type { FastifyInstance } from 'fastify'
import { findLogicalHost } from '../../configure/decide-logical-host.ts'
import { operatorOf } from '../operator.ts'
import { parseRequest } from '../parse-request.ts'
import { emptyShape, hagetShape, nameShape, statusShape } from '../request-shapes.ts'
import type { RouteContext } from '../route-context.ts'
import { viewExplanation } from '../views/explain-view.ts'
import { viewField } from '../views/haget-view.ts'
import { viewStatus } from '../views/status-view.ts'
import type { ExplainJson, HagetJson, IdentityJson, LeftJson, StatusJson } from '../wire.ts'

/** Adds what asks about the cluster as it is, and `leave`. */
export function addStatusRoutes(app: FastifyInstance, { services, facts, desk }: RouteContext): void {
  app.get('/v1/identity', async (): Promise<IdentityJson> => services.identity())

  app.get('/v1/status', async (request): Promise<StatusJson> => {
    const { messages } = parseRequest(statusShape, request.query, 'query')
    return viewStatus({
      identity: services.identity(),
      state: services.state(),
      stampAges: services.stampAges(),
      databaseAway: services.databaseAway(),
      networks: services.networks(),
      publicGroups: services.publicGroups(),
      heartbeatTroubles: services.heartbeatTroubles(),
      reconfigurations: services.reconfigurations(),
      progress: services.progress(),
      missingPrograms: services.missingPrograms(),
      fences: services.fences(),
      fenceStatus: services.fenceStatus(),
      guardReports: services.guardReports(),
      certificates: desk?.certificates() ?? [],
      voterWarnings: facts.voterWarnings?.() ?? [],
      messages: facts.recentMessages(messages),
      nowWallMs: facts.effects.nowWallMs(),
    })
  })

  app.get('/v1/haget', async (request): Promise<HagetJson> => {
    const query = parseRequest(hagetShape, request.query, 'query')
    const { physicalHost: me } = services.identity()
    return viewField({ state: services.state(), networks: services.networks(), query, me })
  })

  app.get('/v1/logical-hosts/:name/explain', async (request): Promise<ExplainJson> => {
    const state = services.state()
    const { name } = findLogicalHost(state, parseRequest(nameShape, request.params, 'path').name)
    return viewExplanation(state, name, services.reconfigurations())
  })

  app.post('/v1/leave', async (request): Promise<LeftJson> => {
    parseRequest(emptyShape, request.body, 'request')
    return { stillTakenOn: await services.leave(operatorOf(request)) }
  })
}
