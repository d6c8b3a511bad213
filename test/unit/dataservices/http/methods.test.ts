import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ADDRESS, ask, freePort, gone, HttpService, occupyPort, textOf } from './http-service.ts'

let service: HttpService
let port: number

beforeEach(async () => {
  service = await HttpService.create()
  port = await freePort()
})
afterEach(() => service.remove(['ha1', 'ha2']))

const settings = (more = ''): string => `ADDRESS=${ADDRESS}\nPORT=${port}\n${more}`
const fine = { code: 0, stderr: '' }

describe('START_NET', () => {
  it('returns when the address answers; again it finds that it does', async () => {
    service.makeLogicalHost('ha1', settings('SERVED_BY=$HA_PHYSICAL_HOST\n'))
    expect(service.call('start-net', 'ha1', '')).toEqual(fine)
    const answer = await ask(port, '/')
    expect([answer.body, answer.headers['x-served-by']]).toEqual(['page of ha1', 'alpha'])
    const pid = service.pid('ha1')
    expect(service.call('start-net', 'ha1', '')).toEqual(fine)
    expect([pid, service.pid('ha1')]).toEqual([expect.any(Number), pid])
  })

  it('starts it again after it was killed', async () => {
    service.makeLogicalHost('ha1', settings())
    service.call('start-net', 'ha1', '')
    const pid = service.pid('ha1') ?? 0
    process.kill(pid, 'SIGKILL')
    await gone(pid)
    expect(service.call('start-net', 'ha1', '')).toEqual(fine)
    expect((await ask(port, '/')).body).toBe('page of ha1')
  })

  it('does not mind what a lost host has left on the disk group', async () => {
    const prefix = service.makeLogicalHost('ha1', settings())
    mkdirSync(join(prefix, 'http/run'))
    writeFileSync(join(prefix, 'http/run/ready'), '1\n')
    // A process that lives, and is another one than the one that was meant.
    writeFileSync(join(prefix, 'http/run/pid'), `${process.pid} 1 another-boot\n`)
    expect(service.call('start-net', 'ha1', '')).toEqual(fine)
    expect((await ask(port, '/')).body).toBe('page of ha1')
  })

  it('has nothing to do on a logical host without settings, and says so', () => {
    service.makeLogicalHost('ha1', '')
    const { code, stderr } = service.call('start-net', 'ha1', '')
    expect([code, stderr]).toEqual([0, expect.stringContaining('nothing to serve')])
    expect(service.call('start-net', '', 'ha1')).toEqual(fine)
    expect(service.pid('ha1')).toBeUndefined()
  })

  it('serves one logical host although another cannot be served, and fails with the reason', async () => {
    service.makeLogicalHost('ha1', settings('FOLDER=nowhere\n'))
    service.makeLogicalHost('ha2', settings())
    const { code, stderr } = service.call('start-net', 'ha1,ha2', '')
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/ha1: the web server does not serve .*\n.*there is no folder/),
    ])
    expect((await ask(port, '/')).body).toBe('page of ha2')
    expect(service.pid('ha1')).toBeUndefined()
  })

  it('tells of a failure what this run said, not what an earlier one did', () => {
    const prefix = service.makeLogicalHost('ha1', settings('FOLDER=nowhere\n'))
    service.call('start-net', 'ha1', '')
    writeFileSync(join(prefix, 'http/http.conf'), settings('FOLDER=elsewhere\n'))
    const { stderr } = service.call('start-net', 'ha1', '')
    expect(stderr).toMatch(/there is no folder .*elsewhere/)
    expect(stderr).not.toContain('nowhere')
  })

  it.each([
    ['no address', () => 'PORT=8080\n', "an IP address, not ''"],
    ['settings that are no shell', () => 'ADDRESS=(\n', 'http.conf'],
  ])('fails with %s', (_, text, complaint) => {
    service.makeLogicalHost('ha1', text())
    const { code, stderr } = service.call('start-net', 'ha1', '')
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining(complaint)])
  })

  it('fails where somebody else listens', async () => {
    const taken = await occupyPort()
    service.makeLogicalHost('ha1', `ADDRESS=${ADDRESS}\nPORT=${taken.port}\n`)
    const { code, stderr } = service.call('start-net', 'ha1', '')
    expect([code, stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')])
    taken.server.close()
  })
})

describe('STOP_NET', () => {
  it('ends the server of the logical hosts that are not mastered, and no other; again there is nothing to do', async () => {
    service.makeLogicalHost('ha1', settings())
    const other = await freePort()
    const prefix = service.makeLogicalHost('ha2', `ADDRESS=${ADDRESS}\nPORT=${other}\n`)
    service.call('start-net', 'ha1,ha2', '')
    expect(service.call('stop-net', 'ha1', 'ha2')).toEqual(fine)
    await expect(ask(other, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect((await ask(port, '/')).body).toBe('page of ha1')
    expect(existsSync(join(prefix, 'http/run/pid'))).toBe(false)
    expect(service.call('stop-net', 'ha1', 'ha2')).toEqual(fine)
    expect(textOf(join(prefix, 'http/run/log'))).toContain(`serving ${join(prefix, 'htdocs')}`)
  })

  it('ends one that is stopped by a signal', async () => {
    service.makeLogicalHost('ha1', settings())
    service.call('start-net', 'ha1', '')
    const pid = service.pid('ha1') ?? 0
    process.kill(pid, 'SIGSTOP')
    expect(service.call('stop-net', '', 'ha1')).toMatchObject({ code: 0 })
    await gone(pid)
  })

  it('has nothing to do where the disk group is not', () => {
    expect(service.call('stop-net', '', 'ha1')).toEqual(fine)
  })
})
