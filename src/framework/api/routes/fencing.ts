import type { FastifyInstance } from 'fastify'
import { parseName } from '../../model/names.ts'
import { operatorOf } from '../operator.ts'
import { parseRequest } from '../parse-request.ts'
import { confirmDownShape, fenceShape } from '../request-shapes.ts'
import type { RouteContext } from '../route-context.ts'
import type { ConfirmedDownJson, FencedJson } from '../wire.ts'

/** Adds what fences a host, and what takes an operator's word that it is off. */
export function addFencingRoutes(app: FastifyInstance, { services }: RouteContext): void {
  app.post('/v1/fences', async (request): Promise<FencedJson> => {
    const { host, reason = '', evenIfAlive = false } = parseRequest(fenceShape, request.body, 'request')
    const order = { host: parseName('physicalHost', host), operator: operatorOf(request), reason, evenIfAlive }
    const { confirmed, reconfiguration } = await services.fence(order)
    return { host, devices: confirmed.devices, tookMs: confirmed.tookMs, reconfiguration }
  })

  app.post('/v1/fences/confirmations', async (request): Promise<ConfirmedDownJson> => {
    const { host, reason } = parseRequest(confirmDownShape, request.body, 'request')
    const order = { host: parseName('physicalHost', host), operator: operatorOf(request), reason }
    return { host, reconfiguration: await services.confirmDown(order) }
  })
}
