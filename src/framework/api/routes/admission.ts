import type { FastifyInstance } from 'fastify'
import { HaError } from '../../errors/ha-error.ts'
import type { AdmissionDesk } from '../admission-desk.ts'
import { evictShape, joinShape, programsShape, renewShape, tokenShape } from '../admission-shapes.ts'
import { operatorOf } from '../operator.ts'
import { parseRequest } from '../parse-request.ts'
import type { RouteContext } from '../route-context.ts'
import type { CheckedProgramsJson, EvictedJson, JoinedJson, PingJson, RenewedJson, TokenJson } from '../wire.ts'

/** Adds what lets machines into the cluster and takes them out, and what hosts ask each other. */
export function addAdmissionRoutes(app: FastifyInstance, { facts, desk, identify }: RouteContext): void {
  app.get('/v1/ping', async (): Promise<PingJson> => ({ nowWallMs: facts.effects.nowWallMs() }))

  app.post('/v1/tokens', async (request): Promise<TokenJson> => {
    return needed(desk).makeToken(parseRequest(tokenShape, request.body, 'request'), operatorOf(request))
  })

  app.post('/v1/join', async (request): Promise<JoinedJson> => {
    return needed(desk).join(parseRequest(joinShape, request.body, 'request'))
  })

  app.post('/v1/renew', async (request): Promise<RenewedJson> => {
    const caller = identify(request)
    if (caller.kind !== 'admitted' && caller.kind !== 'expired')
      throw new HaError('USAGE', 'a certificate is renewed for whoever asks with it, over the network')
    return needed(desk).renew(caller.name, parseRequest(renewShape, request.body, 'request'))
  })

  app.post('/v1/evict', async (request): Promise<EvictedJson> => {
    return needed(desk).evict(parseRequest(evictShape, request.body, 'request'), operatorOf(request))
  })

  app.post('/v1/host/programs', async (request): Promise<CheckedProgramsJson> => {
    const { programs } = parseRequest(programsShape, request.body, 'request')
    return { programs: await facts.checkPrograms(programs) }
  })
}

function needed(desk: AdmissionDesk | undefined): AdmissionDesk {
  if (desk !== undefined) return desk
  throw new HaError('NOT_SET_UP', 'this clustd lets no machine in')
}
