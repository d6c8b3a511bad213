import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { localAddressDriver } from '../../src/framework/drivers/address/local.ts'
import type { AddressDriver } from '../../src/framework/ports/address-driver.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { codeOf } from './driver-rig/expected-failure.ts'

describe('local addresses', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'haven-local-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const driverOf = (physicalHost: string, cluster = 'test'): AddressDriver =>
    localAddressDriver(
      {
        cluster,
        physicalHost,
        root: join(directory, physicalHost),
        scope: `${cluster}:${physicalHost}`,
        effects: createRealEffects(),
      },
      { directory: join(directory, 'shared') },
    )
  const callOf = (address: string): Parameters<AddressDriver['up']>[0] => ({
    address: { kind: 'local', address, prefixLength: 32, adapters: {} },
    adapter: '',
    signal: new AbortController().signal,
  })

  it('takes the mark of a host over that was killed: nobody listens there', async () => {
    await driverOf('h1').up(callOf('127.88.0.1'))
    await driverOf('h2').up(callOf('127.88.0.1'))
    expect(await driverOf('h1').isUp(callOf('127.88.0.1'))).toBe(false)
    await driverOf('h1').down(callOf('127.88.0.1'))
    expect(await driverOf('h2').isUp(callOf('127.88.0.1'))).toBe(true)
  })

  it('stays up when the daemon is started again', async () => {
    await driverOf('h1').up(callOf('127.88.0.1'))
    expect(await driverOf('h1').isUp(callOf('127.88.0.1'))).toBe(true)
  })

  it('keeps clusters apart', async () => {
    await driverOf('h1', 'one').up(callOf('127.88.0.1'))
    await driverOf('h1', 'two').up(callOf('127.88.0.1'))
    expect(await driverOf('h1', 'one').isUp(callOf('127.88.0.1'))).toBe(true)
  })

  it('refuses an address of another kind', async () => {
    expect(await codeOf(driverOf('h1').up(callOf('10.0.0.1')))).toBe('ADDRESS_UNUSABLE')
    expect(await codeOf(driverOf('h1').up(callOf('::1')))).toBe('ADDRESS_UNUSABLE')
  })

  it('lets at most one of many racing hosts win', async () => {
    const hosts = ['h1', 'h2', 'h3', 'h4'].map((name) => driverOf(name))
    await Promise.all(hosts.map((host) => host.up(callOf('127.88.0.1'))))
    const up = await Promise.all(hosts.map((host) => host.isUp(callOf('127.88.0.1'))))
    expect(up.filter((each) => each)).toHaveLength(1)
  })
})
