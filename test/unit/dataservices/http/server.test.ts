import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADDRESS, ask, askSlowly, exists, freePort, HttpService, occupyPort } from './http-service.ts'

/** More than the buffers between two processes hold. */
const LARGE_BYTES = 64 * 1024 * 1024

let service: HttpService
let folder: string
let port: number

beforeAll(async () => {
  service = await HttpService.create()
  folder = join(service.directory, 'files')
  mkdirSync(join(folder, 'below'), { recursive: true })
  writeFileSync(join(folder, 'index.html'), '<p>top')
  writeFileSync(join(folder, 'below/index.html'), '<p>below')
  writeFileSync(join(folder, 'a b.txt'), 'blank')
  writeFileSync(join(folder, 'empty.json'), '')
  writeFileSync(join(folder, 'data.bin'), 'bytes')
  writeFileSync(join(folder, 'large.bin'), Buffer.alloc(LARGE_BYTES))
  writeFileSync(join(service.directory, 'secret.txt'), 'secret')
  symlinkSync('../secret.txt', join(folder, 'out.txt'))
  symlinkSync('below', join(folder, 'within'))
  port = await freePort()
  const ready = join(service.directory, 'ready')
  service.start([
    '--address',
    ADDRESS,
    '--port',
    String(port),
    '--root',
    folder,
    '--ready',
    ready,
    '--served-by',
    'alpha',
  ])
  await exists(ready)
})
afterAll(() => service.remove())

describe('the web server', () => {
  it.each([
    ['/', '<p>top', 'text/html; charset=utf-8'],
    ['/?a=b', '<p>top', 'text/html; charset=utf-8'],
    ['/below/', '<p>below', 'text/html; charset=utf-8'],
    ['/within/index.html', '<p>below', 'text/html; charset=utf-8'],
    ['/a%20b.txt', 'blank', 'text/plain; charset=utf-8'],
    ['/empty.json', '', 'application/json'],
    ['/data.bin', 'bytes', 'application/octet-stream'],
  ])('serves %s', async (path, body, type) => {
    const answer = await ask(port, path)
    expect(answer).toMatchObject({ status: 200, body })
    expect(answer.headers).toMatchObject({
      'content-type': type,
      'content-length': String(body.length),
      'x-served-by': 'alpha',
    })
  })

  it('tells the head alone when asked for that', async () => {
    expect(await ask(port, '/', 'HEAD')).toMatchObject({ status: 200, body: '', headers: { 'content-length': '6' } })
  })

  it.each([
    ['a file that is not there', 'GET', '/none.html', 404],
    ['a folder without a slash', 'GET', '/below', 404],
    ['a file outside of the folder', 'GET', '/../secret.txt', 404],
    ['one that is written in another way', 'GET', '/%2e%2e/secret.txt', 404],
    ['a link that leads out of the folder', 'GET', '/out.txt', 404],
    ['a path that is none', 'GET', '/%ff', 400],
    ['a path with a zero byte', 'GET', '/%00', 400],
    ['a method that changes something', 'DELETE', '/', 405],
  ])('refuses %s', async (_, method, path, status) => {
    const answer = await ask(port, path, method)
    expect(answer).toMatchObject({ status, body: `${status}\n` })
  })

  it('breaks off when a file shrinks while it is sent: nobody takes it for whole', async () => {
    expect(await askSlowly(port, '/large.bin', () => undefined)).toBe(LARGE_BYTES)
    const shrinks = (): void => truncateSync(join(folder, 'large.bin'), 10)
    await expect(askSlowly(port, '/large.bin', shrinks)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('ends on TERM, also with a connection that is open', async () => {
    const own = await freePort()
    const ready = join(service.directory, 'ready-to-end')
    const words = ['--address', ADDRESS, '--port', String(own), '--root', folder, '--ready', ready]
    const { server, ended } = service.start(words)
    await exists(ready)
    expect((await ask(own, '/')).headers['x-served-by']).toBeUndefined()
    const idle = connect(own, ADDRESS)
    await new Promise((done) => idle.once('connect', done))
    const isCut = new Promise((done) => idle.once('close', done).on('error', () => undefined))
    server.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0 })
    await isCut
  })
})

describe('the web server does not start', () => {
  it.each([
    ['without an address, which would be every address of the machine', { address: '' }, "an IP address, not ''"],
    ['with a name for an address', { address: 'localhost' }, "an IP address, not 'localhost'"],
    ['with a port that is none', { port: '80x' }, "1 to 65535, not '80x'"],
    ['with port 0, which is any', { port: '0' }, "1 to 65535, not '0'"],
    ['without a folder', { root: '' }, 'there is no folder to serve'],
    ['with a folder that is not there', { root: '/nowhere/at/all' }, 'there is no folder /nowhere/at/all'],
  ])('%s', async (_, change, complaint) => {
    const words = Object.entries({ address: ADDRESS, port: '1', root: folder, ...change })
    const { ended } = service.start(words.flatMap(([name, value]) => [`--${name}`, value]))
    expect(await ended).toMatchObject({ code: 2, stderr: expect.stringContaining(complaint) })
  })

  it('where somebody else listens', async () => {
    const taken = await occupyPort()
    const words = ['--address', ADDRESS, '--port', String(taken.port), '--root', folder]
    expect(await service.start(words).ended).toMatchObject({ code: 1, stderr: expect.stringContaining('EADDRINUSE') })
    taken.server.close()
  })
})
