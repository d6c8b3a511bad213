import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callSocket } from '../../src/framework/api/client/call-socket.ts'
import { type Client, createClient, operatorOf, socketPathOf } from '../../src/framework/api/client.ts'
import { listenOnSocket, SOCKET_PATH_BYTES_MAX } from '../../src/framework/api/listen.ts'
import type { FollowEvent } from '../../src/framework/api/wire.ts'
import { ApiWorld } from './api-world.ts'

let root: string
let socketPath: string
let client: Client
const servers: Server[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'haven-client-'))
  socketPath = socketPathOf(root)
  client = createClient({ socketPath, operator: 'åsa' })
})
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
  rmSync(root, { recursive: true })
})

/** Answers every connection with some bytes, or with nothing. */
async function answering(path: string, bytes: string | undefined, thenEnd = true): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      if (bytes !== undefined) socket.write(bytes)
      if (bytes !== undefined && thenEnd) socket.end()
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
}

describe('the client and clustd on a socket', () => {
  let world: ApiWorld
  beforeEach(async () => {
    world = await ApiWorld.make()
    await world.finish(listenOnSocket(world.app, socketPath), 10_000_000)
  })
  afterEach(() => world.close())

  const ask = <Value>(promise: Promise<Value>): Promise<Value> => world.finish(promise, 10_000_000)

  it('speak about everything', async () => {
    await ask(client.register({ name: 'web', methods: { START: '/opt/web/start' } }))
    expect((await ask(client.service('web'))).logicalHosts).toEqual(['ha1'])
    expect((await ask(client.services())).services).toHaveLength(1)
    const plan = await ask(client.plan({ kind: 'services-on', services: ['web'] }))
    expect(plan.cause.by).toBe('åsa')
    const { reconfiguration } = await ask(client.applyPlan(plan.id ?? ''))
    const events: FollowEvent[] = []
    await ask(
      (async () => {
        for await (const event of client.follow(reconfiguration ?? 0)) events.push(event)
      })(),
    )
    expect(events.at(-1)).toMatchObject({ kind: 'end', outcome: 'reached' })
    expect((await ask(client.timeline('last'))).number).toBe(reconfiguration)
    expect((await ask(client.history({ last: 1 }))).reconfigurations).toHaveLength(1)
    expect((await ask(client.haget({ field: 'master', host: 'ha1' }))).values).toEqual(['alpha'])
    expect((await ask(client.status({ messages: 1 }))).messages).toHaveLength(1)
    expect((await ask(client.explain('ha1'))).logicalHost).toBe('ha1')
    expect((await ask(client.identity())).cluster).toBe('test')
    expect((await ask(client.configuration())).services).toHaveLength(1)
    const { text } = await ask(client.exportConfiguration())
    expect((await ask(client.diffConfiguration({ text, fileName: 'c' }))).changes).toEqual([])
    expect((await ask(client.applyConfiguration({ text, fileName: 'c' }))).revision).toBeNull()
    expect((await ask(client.checkDatabase())).problems).toEqual([])
    expect((await ask(client.backupDatabase())).text).toContain('haven-backup')
    await ask(client.submit({ request: { kind: 'maintenance', logicalHosts: ['ha1'] } }))
    await ask(client.configure({ kind: 'timeouts', stepTimeoutS: 800 }))
    await ask(client.leave({ withinMs: 10_000 }))
  })

  it('agree about errors', async () => {
    await expect(ask(client.service(''))).rejects.toMatchObject({ name: 'HaError', code: 'NOT_FOUND' })
    await expect(ask(client.service('../status'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(ask(client.timeline(4711))).rejects.toMatchObject({ code: 'NOT_FOUND', exitCode: 7 })
    await expect(ask(client.register({ name: 'x', methods: {} }))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(ask(client.follow(4711)[Symbol.asyncIterator]().next())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('end a stream when the reader goes away', async () => {
    world.stepMs = 100_000
    const { reconfiguration } = await ask(
      client.submit({ request: { kind: 'switchover', logicalHosts: ['ha1'], to: 'beta' } }),
    )
    await ask(
      (async () => {
        for await (const event of client.follow(reconfiguration ?? 0)) if (event.kind === 'half-started') break
      })(),
    )
    expect(await ask(client.identity())).toMatchObject({ role: 'member' })
  })

  it('keep the socket to themselves', async () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o600)
    expect(statSync(join(socketPath, '..')).mode & 0o777).toBe(0o700)
    await expect(ask(listenOnSocket(world.app, socketPath))).rejects.toMatchObject({ code: 'CLUSTD_RUNNING' })
  })

  it('replace a socket that nobody answers on, and refuse a path that is too long', async () => {
    const stale = join(root, 'stale.sock')
    writeFileSync(stale, '')
    const other = await ApiWorld.make()
    await other.finish(listenOnSocket(other.app, stale), 10_000_000)
    expect(
      (await other.finish(createClient({ socketPath: stale, operator: 'x' }).identity(), 10_000_000)).cluster,
    ).toBe('test')
    await other.close()
    const long = join(root, 'x'.repeat(SOCKET_PATH_BYTES_MAX))
    await expect(listenOnSocket(world.app, long)).rejects.toMatchObject({ code: 'LIMIT_REACHED' })
  })
})

describe('the client without a clustd', () => {
  it('says that none runs, and how to start it', async () => {
    const missing = { code: 'CLUSTD_NOT_RUNNING', exitCode: 3, hint: expect.stringContaining('scadmin startnode') }
    await expect(client.identity()).rejects.toMatchObject(missing)
    await expect(client.follow(1)[Symbol.asyncIterator]().next()).rejects.toMatchObject(missing)
    const notASocket = join(root, 'file')
    writeFileSync(notASocket, '')
    await expect(createClient({ socketPath: notASocket, operator: 'x' }).identity()).rejects.toMatchObject(missing)
  })

  it('says what something else answers', async () => {
    const path = join(root, 's')
    await answering(path, 'HTTP/1.1 500 Oops\r\ncontent-length: 2\r\n\r\n{}')
    const other = createClient({ socketPath: path, operator: 'x' })
    await expect(other.identity()).rejects.toMatchObject({ code: 'INTERNAL', details: ['{}'] })
  })

  it('does not wait for ever for an answer, nor for the rest of one', async () => {
    const cases = [undefined, 'HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n{"cluster":']
    for (const [index, bytes] of cases.entries()) {
      const path = join(root, `s${index}`)
      await answering(path, bytes, false)
      const call = {
        socketPath: path,
        operator: 'x',
        method: 'GET',
        path: '/v1/identity',
        body: undefined,
        silenceMs: 50,
      } as const
      await expect(callSocket(call)).rejects.toMatchObject({ code: 'WAIT_TIMED_OUT' })
    }
  })

  it('says when an answer breaks off', async () => {
    const path = join(root, 's')
    await answering(path, 'HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n{"cluster":')
    await expect(createClient({ socketPath: path, operator: 'x' }).identity()).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })

  it('names the operator behind sudo', () => {
    expect(operatorOf({ SUDO_USER: 'anna', USER: 'root' })).toBe('anna')
    expect(operatorOf({ USER: 'root' })).toBe('root')
    expect(operatorOf({ SUDO_USER: '', LOGNAME: 'eva' })).toBe('eva')
  })

  it('names the account when the environment says nothing, by its number when it has no name', () => {
    expect(operatorOf({}, () => ({ username: 'daemon' }))).toBe('daemon')
    expect(operatorOf({ USER: '' })).toBe(userInfo().username)
    const nameless = (): never => {
      throw new Error('no such user')
    }
    expect(operatorOf({}, nameless)).toBe(String(process.getuid?.()))
  })
})
