import Fastify, { type FastifyInstance } from 'fastify'
import type { Log } from '../ports/log.ts'
import { answerErrors } from './answer-errors.ts'
import type { HostFacts } from './host-facts.ts'
import type { RouteContext } from './route-context.ts'
import { addConfigurationRoutes } from './routes/configuration.ts'
import { addDatabaseRoutes } from './routes/database.ts'
import { addReconfigurationRoutes } from './routes/reconfigurations.ts'
import { addServiceRoutes } from './routes/services.ts'
import { addStatusRoutes } from './routes/status.ts'
import type { ApiServices } from './services.ts'

/** What the API is built with beside the services of the daemon. */
export interface AppOptions {
  readonly facts: HostFacts
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
export function buildApp(services: ApiServices, { facts, log }: AppOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: RECEIVE_MS,
    forceCloseConnections: true,
    // Names are at most 63 characters, but an unknown longer one shall get our answer and not that of the router.
    routerOptions: { maxParamLength: 2_048 },
  })
  answerErrors(app, log)
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  const context: RouteContext = { services, facts, closing: closing.signal }
  addStatusRoutes(app, context)
  addServiceRoutes(app, context)
  addReconfigurationRoutes(app, context)
  addConfigurationRoutes(app, context)
  addDatabaseRoutes(app, context)
  return app
}
