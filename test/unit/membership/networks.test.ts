import { describe, expect, it } from 'vitest'
import { describeInterface, describeNetwork } from '../../../src/framework/membership/describe-networks.ts'
import { judgeNetworks } from '../../../src/framework/membership/networks.ts'
import { type Rest, type Sketch, sketch } from './networks-sketch.ts'

type Changes = Rest & { readonly role?: NonNullable<Sketch['role']> }

/** Judges one network: its state, then that of each host's interface. */
function judge(sees: Sketch['sees'], rest: Changes = {}): string {
  const { role = 'internal', ...others } = rest
  const [verdict] = judgeNetworks(sketch({ priv1: { role, sees } }, others))
  const interfaces = verdict?.interfaces.map(({ host, state, isolation }) => {
    return `${host} ${state}${isolation === null ? '' : ` (${isolation})`}`
  })
  return [verdict?.state, ...(interfaces ?? [])].join(', ')
}

const all = { alpha: ['beta', 'gamma'], beta: ['alpha', 'gamma'], gamma: ['alpha', 'beta'] }
const down = { link: 'down', hears: [] } as const

describe('two hosts on one network', () => {
  it.each([
    ['everything works', { alpha: ['beta'], beta: ['alpha'] }, 'up, alpha up, beta up'],
    [
      'the network is cut: nobody can tell whose fault it is',
      { alpha: [], beta: [] },
      'down, alpha unreachable, beta unreachable',
    ],
    ['lost in one direction', { alpha: ['beta'], beta: [] }, 'down, alpha unreachable, beta unreachable'],
    ['one link is down', { alpha: down, beta: [] }, 'down, alpha failed (link), beta up'],
    [
      'one link is down, and nobody has missed a heartbeat yet',
      { alpha: { ...down, hears: ['beta'] }, beta: ['alpha'] },
      'down, alpha failed (link), beta up',
    ],
    ['a cable without a switch', { alpha: down, beta: down }, 'down, alpha failed (link), beta failed (link)'],
    [
      'only one reaches the gateway',
      { alpha: { reaches: true }, beta: { reaches: false } },
      'down, alpha up, beta failed (probes)',
    ],
    [
      'neither reaches the gateway',
      { alpha: { reaches: false }, beta: { reaches: false } },
      'down, alpha unreachable, beta unreachable',
    ],
    [
      'both reach the gateway, and not each other',
      { alpha: { reaches: true }, beta: { reaches: true } },
      'down, alpha unreachable, beta unreachable',
    ],
    ['one was not asked', { alpha: { reaches: true }, beta: [] }, 'down, alpha unreachable, beta unreachable'],
    ['one has said nothing yet', { alpha: [], beta: null }, 'unknown, alpha unknown, beta unknown'],
    ['one has said nothing yet, but is heard', { alpha: ['beta'], beta: null }, 'unknown, alpha up, beta unknown'],
    [
      'one does not listen: it has no key',
      { alpha: [], beta: { hears: null } },
      'unknown, alpha unknown, beta unknown',
    ],
  ] satisfies readonly [string, Sketch['sees'], string][])('%s', (_what, sees, expected) => {
    expect(judge(sees)).toBe(expected)
  })

  it.each([
    ['one is down', { absent: ['beta'] }, { alpha: [], beta: null }, 'up, alpha up, beta unavailable'],
    [
      'both are down',
      { absent: ['alpha', 'beta'] },
      { alpha: null, beta: null },
      'unavailable, alpha unavailable, beta unavailable',
    ],
    ['one may be down', { doubtful: ['beta'] }, { alpha: [], beta: ['alpha'] }, 'unknown, alpha unknown, beta unknown'],
    [
      'the sight of one is of a former life',
      { outdated: ['beta'] },
      { alpha: ['beta'], beta: [] },
      'unknown, alpha up, beta unknown',
    ],
    [
      'the only member does not know its link',
      { absent: ['beta'] },
      { alpha: { link: 'unknown' }, beta: null },
      'unknown, alpha unknown, beta unavailable',
    ],
    [
      'the link of the only member is down',
      { absent: ['beta'] },
      { alpha: down, beta: null },
      'down, alpha failed (link), beta unavailable',
    ],
    [
      'a network that is only looked at',
      { role: 'none' },
      { alpha: ['beta'], beta: ['alpha'] },
      'unavailable, alpha unavailable, beta unavailable',
    ],
  ] satisfies readonly [string, Changes, Sketch['sees'], string][])('%s', (_what, rest, sees, expected) => {
    expect(judge(sees, rest)).toBe(expected)
  })
})

describe('three hosts on one network', () => {
  it.each([
    ['everything works', all, 'up, alpha up, beta up, gamma up'],
    [
      'nobody hears gamma, and it hears nobody',
      { alpha: ['beta'], beta: ['alpha'], gamma: [] },
      'partitioned, alpha up, beta up, gamma failed (peers)',
    ],
    [
      'gamma hears the others, but they do not hear it: a transmitter is broken',
      { alpha: ['beta'], beta: ['alpha'], gamma: ['alpha', 'beta'] },
      'partitioned, alpha up, beta up, gamma failed (peers)',
    ],
    [
      'gamma reaches the gateway: its interface works, the network is cut',
      { alpha: ['beta'], beta: ['alpha'], gamma: { reaches: true } },
      'partitioned, alpha unreachable, beta unreachable, gamma unreachable',
    ],
    [
      'one pair is apart: it cannot be told whose fault it is',
      { alpha: ['beta'], beta: ['alpha', 'gamma'], gamma: ['beta'] },
      'partitioned, alpha unreachable, beta up, gamma unreachable',
    ],
    [
      'the switch is gone',
      { alpha: [], beta: [], gamma: [] },
      'down, alpha unreachable, beta unreachable, gamma unreachable',
    ],
    [
      'the link of gamma is down',
      { alpha: ['beta'], beta: ['alpha'], gamma: down },
      'partitioned, alpha up, beta up, gamma failed (link)',
    ],
    [
      'the link of gamma is down, and the other two do not hear each other: two hosts cannot tell',
      { alpha: [], beta: [], gamma: down },
      'down, alpha unreachable, beta unreachable, gamma failed (link)',
    ],
  ] satisfies readonly [string, Sketch['sees'], string][])('%s', (_what, sees, expected) => {
    expect(judge(sees)).toBe(expected)
  })

  it('does not blame anybody for a host that is down', () => {
    const sees = { alpha: ['beta'], beta: ['alpha'], gamma: null }
    expect(judge(sees, { absent: ['gamma'] })).toBe('up, alpha up, beta up, gamma unavailable')
    expect(judge({ ...sees, gamma: ['alpha', 'beta'] }, { doubtful: ['gamma'] })).toBe(
      'up, alpha up, beta up, gamma unknown',
    )
  })
})

it('takes two halves of a network for a partition, and blames nobody', () => {
  const sees = { a: ['b'], b: ['a'], c: ['d'], d: ['c'] }
  expect(judge(sees)).toBe('partitioned, a unreachable, b unreachable, c unreachable, d unreachable')
})

it('blames the few that nobody hears when most hear each other', () => {
  const sees = { a: ['b', 'c'], b: ['a', 'c'], c: ['a', 'b'], d: [], e: [] }
  expect(judge(sees)).toBe('partitioned, a up, b up, c up, d failed (peers), e failed (peers)')
  expect(judge({ a: ['b'], b: ['a'], c: [], d: [] })).toBe(
    'partitioned, a unreachable, b unreachable, c unreachable, d unreachable',
  )
})

describe('a network without heartbeats', () => {
  const client = (sees: Sketch['sees'], rest: Rest = {}): string => judge(sees, { role: 'client', ...rest })
  const quiet = { hears: null } as const

  it('is judged by the links and the backup groups of its hosts', () => {
    expect(client({ alpha: quiet, beta: quiet })).toBe('up, alpha up, beta up')
    expect(client({ alpha: quiet, beta: { ...quiet, link: 'down' } })).toBe('partitioned, alpha up, beta failed (link)')
    expect(client({ alpha: { ...quiet, reaches: false }, beta: { ...quiet, reaches: false } })).toBe(
      'down, alpha unreachable, beta unreachable',
    )
    expect(client({ alpha: { ...quiet, link: 'unknown' }, beta: null })).toBe('unknown, alpha unknown, beta unknown')
  })

  it('follows a backup group rather than one of its adapters', () => {
    const sees = { alpha: { ...quiet, link: 'down' }, beta: quiet } as const
    expect(client(sees, { groups: { alpha: 'ok' } })).toBe('up, alpha up, beta up')
    expect(client({ alpha: quiet, beta: quiet }, { groups: { alpha: 'failed' } })).toBe(
      'partitioned, alpha failed (group), beta up',
    )
    expect(client({ alpha: quiet, beta: quiet }, { groups: { alpha: 'network-down', beta: 'network-down' } })).toBe(
      'down, alpha unreachable, beta unreachable',
    )
    expect(client({ alpha: quiet, beta: quiet }, { groups: { alpha: 'doubtful' } })).toBe('up, alpha unknown, beta up')
  })
})

describe('what is said of it', () => {
  const say = (networks: Readonly<Record<string, Sketch>>, rest: Rest = {}): readonly string[] => {
    const verdicts = judgeNetworks(sketch(networks, rest))
    return verdicts.map((verdict) => `${verdict.network.name}: ${describeNetwork(verdict, verdicts)}`)
  }
  const two = { sees: { alpha: ['beta'], beta: ['alpha'] } }
  const cut = { sees: { alpha: [], beta: [] } }

  it('names who is apart, and where heartbeats go on', () => {
    expect(say({ priv1: cut, priv2: two })).toEqual([
      'priv1: down: alpha and beta do not hear each other over it; heartbeats go on over priv2',
      'priv2: up',
    ])
    expect(say({ priv1: cut, priv2: cut })).toEqual([
      'priv1: down: alpha and beta do not hear each other over it; no other network carries their heartbeats',
      'priv2: down: alpha and beta do not hear each other over it; no other network carries their heartbeats',
    ])
  })

  it('names what was found out, and not what follows from it', () => {
    const sees = { alpha: ['beta'], beta: ['alpha'], gamma: down }
    expect(say({ priv1: { sees }, priv2: { sees: all } })).toEqual([
      'priv1: partitioned: the interface eth0 of gamma has failed (the link of eth0 is down); heartbeats go on over priv2',
      'priv2: up',
    ])
  })

  it('names three pairs at most', () => {
    const sees = { a: [], b: [], c: [], d: [] }
    expect(say({ priv1: { sees } })).toEqual([
      'priv1: down: a and b, a and c, a and d and 3 more pairs do not hear each other over it; no other network carries their heartbeats',
    ])
  })

  it('says why there is nothing to say', () => {
    expect(say({ priv1: { role: 'none', sees: {} } })).toEqual(['priv1: unavailable: its role is none'])
    expect(say({ priv1: cut }, { absent: ['alpha', 'beta'] })).toEqual(['priv1: unavailable: no member is on it'])
    expect(say({ priv1: { sees: { alpha: [], beta: null } } })).toEqual(['priv1: not known at this time'])
  })

  it('says of each interface what it is', () => {
    const [verdict] = judgeNetworks(sketch({ priv1: { sees: { alpha: [], beta: [], gamma: down } } }))
    expect(verdict?.interfaces.map(describeInterface)).toEqual([
      'unreachable: no heartbeats to and from beta and gamma',
      'unreachable: no heartbeats to and from alpha and gamma',
      'failed: the link of eth0 is down',
    ])
  })
})
