import type { FastifyInstance } from 'fastify'
import { type AppOptions, buildApp } from '../../src/framework/api/app.ts'
import type { FollowEvent } from '../../src/framework/api/wire.ts'
import type { LogEvent } from '../../src/framework/ports/log.ts'
import { type HostInWorld, physical, SmallWorld } from '../unit/daemon/small-world.ts'

/** What an answer holds. */
export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

/** Two members, alpha and beta, with the production loop on virtual time, and the API of alpha in process. */
export class ApiWorld extends SmallWorld {
  readonly log: LogEvent[] = []
  readonly names = new Map([['logaddr1', '127.5.5.5']])
  app!: FastifyInstance

  /** Makes the world: members, logical host ha1 (disk group dg1, 127.1.0.1), and nothing else. */
  static async make(): Promise<ApiWorld> {
    const world = new ApiWorld()
    const alpha = await world.start('alpha', 'found')
    await world.start('beta')
    await world.clock.passUntil('beta to be known', 2_000, () =>
      alpha.loop.services.state().members.has(physical('beta')),
    )
    world.app = buildApp(alpha.loop.services, world.options())
    await world.post('/v1/configuration/change', {
      kind: 'disk-group',
      name: 'dg1',
      definitions: ['directory:/srv/dg1'],
    })
    await world.post('/v1/configuration/change', {
      kind: 'add-logical-host',
      name: 'ha1',
      physicalHosts: ['alpha', 'beta'],
      diskGroups: ['dg1'],
      interfaces: [['127.1.0.1']],
    })
    await world.rest()
    return world
  }

  options(): AppOptions {
    return {
      facts: {
        effects: this.clock.effects(),
        missingPrograms: async (programs) => programs.filter((program) => this.missing.has(`alpha ${program}`)),
        checkPrograms: async (programs) =>
          programs.map((path) => ({ path, isExecutable: !this.missing.has(`alpha ${path}`), sha256: null })),
        lookUp: async (name) => this.names.get(name),
        recentMessages: () => [{ atWallMs: 1, level: 'info', text: 'hello', reconfiguration: null }],
      },
      log: { write: (event) => this.log.push(event) },
    }
  }

  get alpha(): HostInWorld {
    const found = this.hosts.get('alpha')
    if (found === undefined) throw new Error('there is no alpha')
    return found
  }

  get = (url: string): Promise<Answer> => this.#ask('GET', url)
  post = (url: string, payload: object = {}): Promise<Answer> => this.#ask('POST', url, payload)
  delete = (url: string): Promise<Answer> => this.#ask('DELETE', url)

  /** Registers a service `web` with all basic methods on ha1, off. */
  register(more: object = {}): Promise<Answer> {
    const methods = { START: '/opt/web/start', STOP: '/opt/web/stop', FM_START: '/opt/web/probe' }
    return this.post('/v1/services', { name: 'web', methods, logicalHosts: ['ha1'], ...more })
  }

  /** Asks for something, follows it to its end, and returns the lines. */
  async submit(request: object): Promise<readonly FollowEvent[]> {
    const { body, status } = await this.post('/v1/reconfigurations', { request })
    if (status !== 200) throw new Error(JSON.stringify(body))
    return body.reconfiguration === null ? [] : this.follow(body.reconfiguration)
  }

  async follow(reconfiguration: number): Promise<readonly FollowEvent[]> {
    const { payload } = await this.finish(
      this.app.inject({ method: 'GET', url: `/v1/reconfigurations/${reconfiguration}/follow` }),
    )
    return payload
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as FollowEvent)
  }

  /** Lets time pass until nothing is under way. */
  async rest(): Promise<void> {
    const { services } = this.alpha.loop
    await this.clock.pass(500)
    await this.clock.passUntil('everything to be at rest', 60_000, () =>
      [...services.state().states.values()].every(({ mastery }) =>
        ['mastered', 'unmastered', 'stuck'].includes(mastery.kind),
      ),
    )
    await this.clock.pass(50)
  }

  async close(): Promise<void> {
    await this.app.close()
    for (const { loop } of this.hosts.values()) await this.finish(loop.stop())
  }

  async #ask(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object): Promise<Answer> {
    const headers = { 'haven-operator': 'anna' }
    const answer = await this.finish(
      this.app.inject({ method, url, headers, ...(payload !== undefined && { payload }) }),
      700_000,
    )
    return { status: answer.statusCode, body: answer.json() }
  }
}
