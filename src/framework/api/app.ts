import Fastify, { type FastifyInstance } from 'fastify'
import type { HostCalls } from '../ports/host-calls.ts'
import type { Log } from '../ports/log.ts'
import type { AdmissionDesk } from './admission-desk.ts'
import { answerErrors } from './answer-errors.ts'
import { type Identify, LOCAL_CALLER } from './caller.ts'
import type { HostFacts } from './host-facts.ts'
import { refuseByPolicy } from './network-policy.ts'
import {
  createNetworkServer,
  fastifyOn,
  NETWORK_BODY_BYTES_MAX,
  type NetworkServer,
  type NetworkTls,
} from './network-server.ts'
import type { RouteContext } from './route-context.ts'
import { addAdmissionRoutes } from './routes/admission.ts'
import { addConfigurationRoutes } from './routes/configuration.ts'
import { addDatabaseRoutes } from './routes/database.ts'
import { addFencingRoutes } from './routes/fencing.ts'
import { addPublicNetworkRoutes } from './routes/public-networks.ts'
import { addReconfigurationRoutes } from './routes/reconfigurations.ts'
import { addServiceRoutes } from './routes/services.ts'
import { addStatusRoutes } from './routes/status.ts'
import type { ApiServices } from './services.ts'

/** What the API is built with beside the services of the daemon. */
export interface AppOptions {
  readonly facts: HostFacts
  /** Lets machines in and takes them out; left out: this clustd does not. */
  readonly desk?: AdmissionDesk | undefined
  /** Asks other hosts; left out: nobody is asked. */
  readonly calls?: HostCalls | undefined
  /** Gets a line for each answer that is a bug of ours, and nothing else. */
  readonly log: Log
}

/** Bytes of a request, at most: a backup of the largest database, quoted as JSON. */
const BODY_BYTES_MAX = 192 * 1024 * 1024
/** Milliseconds in which a request must have been received; it comes from a process of the same machine. */
const RECEIVE_MS = 60_000

/**
 * Builds the API without listening: tests call it in process, `listen` puts it on a socket. Errors are answered as `ErrorJson`, with an HTTP
 * status by the class of the exit code. Closing ends followed reconfigurations with a last line.
 */
export function buildApp(services: ApiServices, options: AppOptions): FastifyInstance {
  const app = Fastify({
    ...COMMON,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: RECEIVE_MS,
    forceCloseConnections: true,
  })
  return addRoutes(app, services, options, () => LOCAL_CALLER)
}

/** The same API for other hosts, over TLS: `network-policy.ts` says what of it, and to whom. */
export interface NetworkApp {
  readonly app: FastifyInstance
  /** Shows another certificate from now on. */
  renew(tls: NetworkTls): void
}

/** What the API over the network is built with. */
export interface NetworkOptions extends AppOptions {
  readonly tls: NetworkTls
  readonly identify: Identify
}

/** Builds the API for the network without listening. */
export function buildNetworkApp(services: ApiServices, options: NetworkOptions): NetworkApp {
  const made: { network?: NetworkServer } = {}
  const app = fastifyOn(
    (handler) => {
      made.network = createNetworkServer(options.tls, handler)
      return made.network.server
    },
    { ...COMMON, bodyLimit: NETWORK_BODY_BYTES_MAX },
  )
  app.addHook('preClose', async () => made.network?.endConnections())
  app.addHook('onRequest', async (request) => {
    const { url } = request.routeOptions
    refuseByPolicy(options.identify(request), url === undefined ? undefined : `${request.method} ${url}`)
  })
  addRoutes(app, services, options, options.identify)
  return { app, renew: (tls) => made.network?.renew(tls) }
}

const COMMON = {
  logger: false,
  // Names are at most 63 characters, but an unknown longer one shall get our answer and not that of the router.
  routerOptions: { maxParamLength: 2_048 },
} as const

function addRoutes(
  app: FastifyInstance,
  services: ApiServices,
  { facts, desk, calls, log }: AppOptions,
  identify: Identify,
): FastifyInstance {
  answerErrors(app, log)
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  const context: RouteContext = { services, facts, desk, calls, identify, closing: closing.signal }
  addStatusRoutes(app, context)
  addPublicNetworkRoutes(app, context)
  addServiceRoutes(app, context)
  addReconfigurationRoutes(app, context)
  addConfigurationRoutes(app, context)
  addDatabaseRoutes(app, context)
  addFencingRoutes(app, context)
  addAdmissionRoutes(app, context)
  return app
}
