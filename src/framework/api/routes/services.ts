import type { FastifyInstance } from 'fastify'
import { joinPath, registerService } from '../../configure/register-service.ts'
import { findService, unregisterService } from '../../configure/unregister-service.ts'
import { HaError } from '../../errors/ha-error.ts'
import { changeConfiguration } from '../change-configuration.ts'
import { checkOnHosts } from '../check-on-hosts.ts'
import { parseRequest } from '../parse-request.ts'
import { nameShape, registerShape } from '../request-shapes.ts'
import type { RouteContext } from '../route-context.ts'
import { inOrder, viewService } from '../views/configuration-view.ts'
import type { ConfiguredJson, RegisterRequest, ServiceJson, ServicesJson } from '../wire.ts'

/** Adds what `hareg` does to registrations; on and off are reconfigurations. */
export function addServiceRoutes(app: FastifyInstance, context: RouteContext): void {
  const { services } = context

  app.get('/v1/services', async (): Promise<ServicesJson> => {
    return { services: inOrder(services.state().dataServices).map(viewService) }
  })

  app.get('/v1/services/:name', async (request): Promise<ServiceJson> => {
    return viewService(findService(services.state(), parseRequest(nameShape, request.params, 'path').name))
  })

  app.post('/v1/services', async (request): Promise<ConfiguredJson> => {
    const wanted = parseRequest(registerShape, request.body, 'registration')
    // The rules come first: a wrong registration is refused for what is wrong with it, not for a program that nobody would call.
    const changes = registerService(services.state(), wanted)
    await refuseMissingPrograms(context, wanted)
    const added = changes.find((change) => change.kind === 'put-data-service')
    const warnings = added === undefined ? [] : await checkOnHosts(context, added.dataService)
    const configured = await changeConfiguration(services, (state) => registerService(state, wanted))
    return { ...configured, warnings: [...configured.warnings, ...warnings] }
  })

  app.delete('/v1/services/:name', async (request): Promise<ConfiguredJson> => {
    const { name } = parseRequest(nameShape, request.params, 'path')
    return changeConfiguration(services, (state) => unregisterService(state, name))
  })
}

/** Here at once; other hosts are asked after it. */
async function refuseMissingPrograms({ services, facts }: RouteContext, wanted: RegisterRequest): Promise<void> {
  const me = services.identity().physicalHost
  const programs = Object.values(wanted.methods).map((program) => joinPath(wanted.baseDirectory ?? '', program))
  const missing = await facts.missingPrograms([...new Set(programs)])
  if (missing.length === 0) return
  throw new HaError(
    'CONFIG_INVALID',
    `${missing.length} of the programs of ${wanted.name} cannot be executed on ${me}`,
    {
      details: missing.map((program) => `${program} is missing, not a file, or not executable`),
      hint: 'Install them (chmod +x) on every possible master, then register.',
    },
  )
}
