import type { FastifyInstance } from 'fastify'
import { writeClusterFile } from '../../configure/cluster-file-write.ts'
import { decideRequest } from '../../configure/decide-request.ts'
import { applyClusterFile, diffClusterFile } from '../apply-cluster-file.ts'
import { changeConfiguration } from '../change-configuration.ts'
import { operatorOf } from '../operator.ts'
import { parseRequest } from '../parse-request.ts'
import { refuseWrongDevices } from '../refuse-wrong-devices.ts'
import { clusterFileShape, configurationShape } from '../request-shapes.ts'
import { resolveInterfaces } from '../resolve-interfaces.ts'
import type { RouteContext } from '../route-context.ts'
import { viewConfiguration } from '../views/configuration-view.ts'
import type { ClusterFileJson, ConfigurationDiffJson, ConfigurationJson, ConfiguredJson } from '../wire.ts'

/** Adds what `scconf` does. */
export function addConfigurationRoutes(app: FastifyInstance, context: RouteContext): void {
  const { services, facts } = context

  app.get('/v1/configuration', async (): Promise<ConfigurationJson> => viewConfiguration(services.state()))

  app.post('/v1/configuration/change', async (request): Promise<ConfiguredJson> => {
    const words = parseRequest(configurationShape, request.body, 'request')
    const wanted = await resolveInterfaces(words, facts.lookUp)
    // The rules come first: what is wrong by itself is refused for that.
    await refuseWrongDevices(context, decideRequest(services.state(), wanted))
    return changeConfiguration(services, (state) => decideRequest(state, wanted))
  })

  app.get(
    '/v1/configuration/export',
    async (): Promise<ClusterFileJson> => ({ text: writeClusterFile(services.state()) }),
  )

  app.post('/v1/configuration/diff', async (request): Promise<ConfigurationDiffJson> => {
    return diffClusterFile(context, parseRequest(clusterFileShape, request.body, 'request'))
  })

  app.post('/v1/configuration/apply', async (request): Promise<ConfiguredJson> => {
    const file = parseRequest(clusterFileShape, request.body, 'request')
    return applyClusterFile(context, file, operatorOf(request))
  })
}
