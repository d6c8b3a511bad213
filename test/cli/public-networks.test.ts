import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { classicStatus, groupNeeds, publicNetworkLines } from '../../src/cli/print/public-network-lines.ts'
import type { PublicGroupJson } from '../../src/framework/api/wire.ts'
import { CliWorld } from './cli-world.ts'

let world: CliWorld
beforeEach(async () => {
  world = await CliWorld.make()
})
afterEach(() => world.close())

async function ok(line: string): Promise<string> {
  const { exitCode, out, err } = await world.run(line)
  expect({ line, exitCode, err }).toEqual({ line, exitCode: 0, err: '' })
  return out
}

async function connect(): Promise<void> {
  await ok('scconf test --network pub --role client')
  await ok('scconf test --physical-host alpha --interface pub:eth1:10.0.0.1')
}

describe('pnmset', () => {
  it('makes, changes and removes groups', async () => {
    await connect()
    expect(await ok('pnmset -c nafo0 -o eth1,eth2')).toMatch(/nafo0: pub \(eth1, eth2\)/)
    expect(await ok('pnmset -c nafo0 -o eth1,eth2')).toMatch(/so already|Nothing/i)
    expect(await ok('pnmset -c nafo0 -o eth1,eth2,eth3')).toMatch(/nafo0: pub \(eth1, eth2, eth3\)/)
    expect(await ok('scconf export')).toMatch(/nafo0:\n\s+network: pub\n\s+adapters: \[eth1, eth2, eth3\]/)
    expect(await ok('pnmset -d nafo0')).toMatch(/backupGroups/)
  })

  it('refuses what makes no sense, with everything that is wrong', async () => {
    await connect()
    const refused = await world.run('pnmset -c nafo0 -o eth2 --network pub')
    expect(refused).toMatchObject({ exitCode: 2, out: '' })
    expect(refused.err).toMatch(/is on eth1, which is not in its backup group nafo0/)
    expect((await world.run('pnmset -d nafo7')).exitCode).toBe(7)
    expect((await world.run('pnmset --switch nafo7 eth1')).exitCode).toBe(7)
    expect((await world.run('pnmset -c nafo0')).exitCode).toBe(2)
  })
})

describe('pnmstat', () => {
  it('shows the classic columns, for people and for scripts', async () => {
    await connect()
    await ok('pnmset -c nafo0 -o eth1,eth2')
    // Nothing has been told in this world, which has no adapters.
    const table = await world.run('pnmstat -l')
    expect(table.out).toBe('bkggrp  r_adp      status   fo_time  live_adp\nnafo0   eth1:eth2  UNKNOWN  -        -\n')
    expect(table.exitCode).toBe(1)
    expect((await world.run('pnmstat -c nafo0')).out).toBe('UNKNOWN\n-\n-\n')
    expect((await world.run('pnmstat -s -c nafo0')).out).toBe('UNKNOWN - -\n')
    expect((await world.run('pnmstat -s')).out).toBe('nafo0 UNKNOWN - -\n')
    const { groups } = JSON.parse((await world.run('pnmstat --json')).out) as { readonly groups: readonly object[] }
    expect(groups).toMatchObject([{ name: 'nafo0', network: 'pub', state: null, adapters: [{ name: 'eth1' }, {}] }])
  })

  it('says that nothing is configured, and which groups there are', async () => {
    expect(await ok('pnmstat')).toBe('No public adapters of alpha are configured.\n')
    expect(await ok('pnmstat -h beta')).toBe('No public adapters of beta are configured.\n')
    expect((await world.run('pnmstat -h nobody')).exitCode).toBe(7)
    const refused = await world.run('pnmstat -c nafo0')
    expect(refused).toMatchObject({ exitCode: 7, out: '' })
  })

  it('tells what is wrong with each adapter', () => {
    const group: PublicGroupJson = {
      name: 'nafo0',
      network: 'pub',
      state: 'ok',
      active: 'eth2',
      faulty: ['eth1', 'eth3'],
      secondsSinceMoved: 61,
      adapters: [
        { name: 'eth1', test: 'link-down' },
        { name: 'eth2', test: 'ok' },
        { name: 'eth3', test: null },
      ],
    }
    expect(classicStatus(group)).toEqual(['OK', '61', 'eth2'])
    expect(publicNetworkLines({ host: 'alpha', groups: [group] }).slice(2)).toEqual([
      'nafo0: eth1 has no link.',
      'nafo0: eth3 is faulty.',
    ])
    expect(groupNeeds({ host: 'alpha', groups: [group] })).toMatchObject([
      { what: 'adapter eth1, eth3 of alpha is faulty; eth2 has its addresses' },
    ])
    expect(classicStatus({ ...group, secondsSinceMoved: null })[1]).toBe('NEVER')
    const states = (['doubtful', 'failed', 'network-down', null] as const).map(
      (state) => classicStatus({ ...group, state })[0],
    )
    expect(states).toEqual(['DOUBT', 'DOWN', 'NETDOWN', 'UNKNOWN'])
  })
})
