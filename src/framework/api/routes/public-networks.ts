import type { FastifyInstance } from 'fastify'
import { HaError } from '../../errors/ha-error.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import { parseRequest } from '../parse-request.ts'
import { publicNetworksShape, switchAdapterShape } from '../request-shapes.ts'
import type { RouteContext } from '../route-context.ts'
import { viewPublicNetworks } from '../views/public-networks-view.ts'
import type { PublicNetworksJson } from '../wire.ts'

/** Adds what asks about public adapters, and moves addresses from one to another on this host. */
export function addPublicNetworkRoutes(app: FastifyInstance, { services }: RouteContext): void {
  const me = (): PhysicalHostName => services.identity().physicalHost
  app.get('/v1/public-networks', async (request): Promise<PublicNetworksJson> => {
    const { host = me() } = parseRequest(publicNetworksShape, request.query, 'query')
    const found = findHost(services.state(), host)
    return viewPublicNetworks(services.state(), found, found === me() ? services.publicGroups() : [])
  })

  app.post('/v1/public-networks/switch', async (request): Promise<PublicNetworksJson> => {
    const { group, adapter } = parseRequest(switchAdapterShape, request.body, 'request')
    await services.switchAdapter(group, adapter)
    return viewPublicNetworks(services.state(), me(), services.publicGroups())
  })
}

function findHost({ physicalHosts }: ClusterState, text: string): PhysicalHostName {
  const found = [...physicalHosts.keys()].find((name) => name === text)
  if (found !== undefined) return found
  throw new HaError('NOT_FOUND', `there is no physical host ${text}`, {
    hint: `Configured are: ${[...physicalHosts.keys()].toSorted().join(', ') || 'none'}.`,
  })
}
