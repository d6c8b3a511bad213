import { describe, expect, test } from 'vitest'
import { type Aborted, type AbortHands, abortHoldings } from '../../../src/framework/failfast/abort-holdings.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import type { Leftover } from '../../../src/framework/model/step.ts'
import type { AddressDriver } from '../../../src/framework/ports/address-driver.ts'
import type { DiskGroupDriver } from '../../../src/framework/ports/disk-group-driver.ts'
import type { Effects } from '../../../src/framework/ports/effects.ts'
import type { Holding } from '../../../src/framework/ports/guard.ts'
import { createVirtualEffects } from './virtual-effects.ts'

/** What goes wrong in the world, by the line that the hand would write into the journal. */
type Trouble = Readonly<Record<string, 'hangs' | 'hangs for good' | 'fails' | 'stays'>>

/** A world in memory: remembers what is there, writes down what is done to it and when, and takes `tookMs` for each thing. */
function createWorld(trouble: Trouble, tookMs = 10) {
  const effects = createVirtualEffects()
  const journal: string[] = []
  const there = new Set<string>()
  const startedMs = effects.nowMonotonicMs()
  const running = new Map<string, number>()
  const overlaps: string[] = []

  async function act(what: string, thing: string, signal: AbortSignal | undefined): Promise<void> {
    journal.push(`${Math.round(effects.nowMonotonicMs() - startedMs)} ${what}`)
    if (trouble[what] === 'hangs') await effects.sleep(1e6, signal)
    // Not even the signal helps, as with a process that the kernel holds.
    if (trouble[what] === 'hangs for good') await effects.sleep(1e6)
    await effects.sleep(tookMs, signal)
    if (trouble[what] === 'fails') throw new Error(`${what} is broken`)
    if (trouble[what] !== 'stays') there.delete(thing)
  }
  const leftover = (kind: Leftover['kind'], what: string): readonly Leftover[] =>
    there.has(what) ? [{ kind, what, remedy: `remove ${what}` }] : []

  const hands: AbortHands = {
    effects,
    methods: {
      async run({ logicalHost, service, method, lists, signal }) {
        running.set(service, (running.get(service) ?? 0) + 1)
        if ((running.get(service) ?? 0) > 1) overlaps.push(`${method} of ${service}`)
        try {
          await act(`${logicalHost} ${method} ${service} [${lists.join('|')}]`, '', signal)
          return { kind: 'succeeded', durationMs: tookMs, output: [] }
        } finally {
          running.set(service, (running.get(service) ?? 0) - 1)
        }
      },
      async endProcesses({ logicalHost, service }, { graceMs, signal }) {
        await act(`${logicalHost} KILL ${service} ${graceMs}`, `${logicalHost} process`, signal)
        return leftover('process', `${logicalHost} process`)
      },
      processes: async ({ logicalHost }) => leftover('process', `${logicalHost} process`),
    },
    addresses: { local: addresses('local'), ip: addresses('ip') },
    diskGroups: { directory: diskGroups('directory'), filesystem: diskGroups('filesystem') },
  }
  function addresses(kind: 'local' | 'ip'): AddressDriver {
    const refuse = () => Promise.reject(new Error('not asked for'))
    return {
      kind,
      isUp: refuse,
      up: refuse,
      close: refuse,
      down: ({ address, signal }) => act(`DOWN ${address.address}`, address.address, signal),
      leftovers: async ({ address }) => leftover('address', address.address),
    }
  }
  function diskGroups(kind: 'directory' | 'filesystem'): DiskGroupDriver {
    const refuse = () => Promise.reject(new Error('not asked for'))
    return {
      kind,
      status: refuse,
      import: refuse,
      export: ({ name }, { signal }) => act(`EXPORT ${name}`, name, signal),
      cutOff: ({ name }, { signal }) => act(`CUT OFF ${name}`, '', signal),
      leftovers: async ({ name }) => leftover('disk-group', name),
    }
  }
  return { hands, effects, journal, there, overlaps }
}

const method = { program: '/bin/abort', timeoutMs: 60_000 }

function holding(
  name: string,
  services: readonly string[] = ['web', 'db'],
  address = `127.0.0.${name.slice(2)}`,
): Holding {
  return {
    logicalHost: parseName('logicalHost', name),
    reconfiguration: 7,
    generation: 3,
    pathPrefix: `/${name}`,
    services: services.map((service) => ({
      name: parseName('dataService', service),
      logicalHosts: ['ha1', 'ha2'].map((host) => parseName('logicalHost', host)),
      abortNet: service === 'db' ? null : method,
      abort: method,
    })),
    addresses: [{ address: { kind: 'local', address, prefixLength: 32, adapters: {} }, adapter: '' }],
    diskGroups: ['a', 'b'].map((part) => ({
      diskGroup: { kind: 'directory', name: parseName('diskGroup', `${name}-${part}`), path: `/${part}` },
      mountPoint: `/${name}/${part}`,
    })),
  }
}

async function abort(
  holdings: readonly Holding[],
  {
    trouble = {},
    abortMs = 400,
    tookMs = 10,
    ...rest
  }: { trouble?: Trouble; abortMs?: number; tookMs?: number; isLate?: boolean } = {},
): Promise<Aborted & { journal: readonly string[]; overlaps: readonly string[]; effects: Effects }> {
  const world = createWorld(trouble, tookMs)
  for (const { logicalHost, addresses, diskGroups } of holdings) {
    world.there.add(`${logicalHost} process`)
    for (const { address } of addresses) world.there.add(address.address)
    for (const { diskGroup } of diskGroups) world.there.add(diskGroup.name)
  }
  const methodsEndMs = world.effects.nowMonotonicMs() + abortMs
  const limits = { why: 'test', methodsEndMs, forceMs: 1000, ...rest }
  return { ...world, ...(await abortHoldings(holdings, limits, world.hands)) }
}
const without = (journal: readonly string[]) => journal.map((line) => line.replace(/^\d+ /, ''))
const whenOf = (journal: readonly string[], what: string) =>
  Number(journal.find((line) => line.endsWith(what))?.split(' ')[0] ?? Number.NaN)

describe('abortHoldings', () => {
  test('lets disks go in good order while there is time, and goes on when they cannot be cut off afterwards', async () => {
    expect(without((await abort([holding('ha1')])).journal)).not.toContain('CUT OFF ha1-a')
    const trouble = { 'CUT OFF ha1-a': 'fails', 'CUT OFF ha1-b': 'hangs for good' } as const
    const { journal, released } = await abort([holding('ha1')], { abortMs: -1, trouble })
    expect(without(journal).at(-1)).toBe('EXPORT ha1-a')
    expect(released).toEqual(['ha1'])
  })

  test('cuts disks off first that another host may have, and calls the methods all the same', async () => {
    const { journal, released } = await abort([holding('ha1')], { isLate: true })
    expect(without(journal).slice(0, 3).toSorted()).toEqual([
      'CUT OFF ha1-a',
      'CUT OFF ha1-b',
      'ha1 ABORT_NET web [|ha1,ha2]',
    ])
    expect(released).toEqual(['ha1'])
  })

  test('stops one logical host in order, and proves it', async () => {
    const { journal, report, leftovers, released } = await abort([holding('ha1')])
    expect(without(journal)).toEqual([
      'ha1 ABORT_NET web [|ha1,ha2]',
      'DOWN 127.0.0.1',
      'ha1 ABORT web [|ha1,ha2]',
      'ha1 ABORT db [|ha1,ha2]',
      'ha1 KILL all 0',
      'EXPORT ha1-b',
      'EXPORT ha1-a',
    ])
    expect(leftovers).toEqual([])
    expect(released).toEqual(['ha1'])
    expect(report).toEqual({
      firedWallMs: 1e12 + 1000,
      why: 'test',
      tookMs: 70,
      leftovers: [],
      stopped: [
        '+10 ms ha1: ABORT_NET of web succeeded',
        '+20 ms ha1: address 127.0.0.1 down',
        '+30 ms ha1: ABORT of web succeeded',
        '+40 ms ha1: ABORT of db succeeded',
        '+50 ms ha1: processes killed',
        '+60 ms ha1: disk group ha1-b exported',
        '+70 ms ha1: disk group ha1-a exported',
      ],
    })
  })

  test('nothing held is nothing done', async () => {
    expect(await abort([])).toMatchObject({ leftovers: [], released: [], report: { tookMs: 0, stopped: [] } })
  })

  test('logical hosts are stopped beside each other, calls of one service one after the other', async () => {
    const { journal, overlaps } = await abort([holding('ha1'), holding('ha2'), holding('ha3', ['other'])])
    expect(overlaps).toEqual([])
    expect(whenOf(journal, 'ABORT_NET other [|ha1,ha2]')).toBe(0)
    expect(whenOf(journal, 'DOWN 127.0.0.3')).toBe(10)
    expect(whenOf(journal, 'ha1 ABORT_NET web [|ha1,ha2]')).toBe(0)
    expect(whenOf(journal, 'ha2 ABORT_NET web [|ha1,ha2]')).toBe(10)
  })

  test('a method that hangs, even for good, leaves time for the others', async () => {
    const trouble = { 'ha1 ABORT_NET web [|ha1,ha2]': 'hangs for good', 'ha1 ABORT web [|ha1,ha2]': 'hangs' } as const
    const { journal, leftovers, report } = await abort([holding('ha1'), holding('ha3', ['other'])], { trouble })
    expect(leftovers).toEqual([])
    expect(whenOf(journal, 'DOWN 127.0.0.1')).toBeLessThanOrEqual(200)
    expect(without(journal)).toContain('ha1 ABORT db [|ha1,ha2]')
    expect(whenOf(journal, 'ha1 KILL all 0')).toBeLessThanOrEqual(400)
    expect(whenOf(journal, 'ha3 KILL all 0')).toBeLessThan(100)
    expect(report.stopped).toContainEqual(expect.stringMatching(/ABORT of web was not done in time/))
  })

  test('all methods together end in time, however many there are', async () => {
    const many = Array.from({ length: 20 }, (_, index) => holding(`ha${index + 1}`, ['web']))
    const { journal, leftovers } = await abort(many, { tookMs: 50 })
    expect(leftovers).toEqual([])
    const kills = journal.filter((line) => line.includes('KILL')).map((line) => Number(line.split(' ')[0]))
    expect(kills).toHaveLength(20)
    expect(Math.max(...kills)).toBeLessThanOrEqual(400)
  })

  test('after its time no method is called, and all the rest is done', async () => {
    const { journal, leftovers } = await abort([holding('ha1')], { abortMs: -50 })
    // What came to the disks now could only damage what another host has written.
    expect(without(journal)).toEqual([
      'CUT OFF ha1-a',
      'CUT OFF ha1-b',
      'DOWN 127.0.0.1',
      'ha1 KILL all 0',
      'EXPORT ha1-b',
      'EXPORT ha1-a',
    ])
    expect(leftovers).toEqual([])
  })

  test('an address that hangs delays neither ABORT nor the disk groups', async () => {
    const { journal, leftovers, released } = await abort([holding('ha1'), holding('ha2')], {
      trouble: { 'DOWN 127.0.0.1': 'hangs' },
    })
    expect(without(journal)).toContain('ha1 ABORT db [|ha1,ha2]')
    expect(without(journal)).toContain('EXPORT ha1-a')
    expect(leftovers).toEqual([{ kind: 'address', what: '127.0.0.1', remedy: 'remove 127.0.0.1' }])
    expect(released).toEqual(['ha2'])
  })

  test('an unmount that hangs delays neither the other disk group nor the other logical host', async () => {
    const { journal, leftovers, report } = await abort([holding('ha1'), holding('ha2')], {
      trouble: { 'EXPORT ha1-b': 'hangs for good' },
    })
    expect(whenOf(journal, 'EXPORT ha2-a')).toBeLessThan(400)
    expect(without(journal)).toContain('EXPORT ha1-a')
    expect(leftovers.map(({ what }) => what)).toEqual(['ha1-b'])
    expect(report.leftovers).toEqual(['ha1-b (remove ha1-b)'])
  })

  test('what fails is told, and what is left is listed', async () => {
    const { leftovers, report } = await abort([holding('ha1')], {
      trouble: {
        'ha1 ABORT web [|ha1,ha2]': 'fails',
        'DOWN 127.0.0.1': 'fails',
        'ha1 KILL all 0': 'stays',
        'EXPORT ha1-a': 'fails',
      },
    })
    expect(leftovers.map(({ what }) => what)).toEqual(['ha1 process', '127.0.0.1', 'ha1-a'])
    expect(report.stopped).toContainEqual(expect.stringMatching(/ABORT of web could not be called: .*broken/))
    expect(report.stopped).toContainEqual(expect.stringMatching(/address 127.0.0.1 down: FAILED: .*broken/))
    expect(report.stopped).toContainEqual(expect.stringMatching(/processes killed: FAILED: still there: ha1 process/))
  })
})
