import { describe, expect, it } from 'vitest'
import { createRealHands } from '../../../src/framework/execute/real-hands.ts'
import { parseName } from '../../../src/framework/model/names.ts'

const service = parseName('dataService', 'http')
const logicalHost = parseName('logicalHost', 'ha1')

/** Lets a method end with an exit code after it has printed. */
async function endWith(output: readonly string[]) {
  const refuse = () => Promise.reject(new Error('not asked for'))
  const driver = { import: refuse, export: refuse, up: refuse, down: refuse, leftovers: refuse }
  const hands = createRealHands({
    diskGroups: { directory: driver, filesystem: driver } as never,
    addresses: { local: driver, ip: driver } as never,
    methods: {
      run: () => Promise.resolve({ kind: 'failed', exitCode: 1, durationMs: 5, output }),
      processes: refuse,
      endProcesses: refuse,
    } as never,
    pathPrefixOf: () => '/ha1',
  })
  const call = { logicalHost, reconfiguration: 1, generation: 1, timeoutMs: 1_000, lists: ['', ''] as const }
  const rest = { incarnation: 1, physicalHosts: [], diskGroup: () => undefined, signal: new AbortController().signal }
  return hands.method({ kind: 'method', service, method: 'START_NET', program: '/opt/start' }, { ...call, ...rest })
}

describe('a method that failed', () => {
  it('is told of with the last line it printed, bounded', async () => {
    const message = 'START_NET of http ended with exit code 1'
    expect(await endWith(['starting', 'port 80 is in use', ' '])).toMatchObject({
      message: `${message}: port 80 is in use`,
    })
    expect(await endWith([])).toMatchObject({ kind: 'failed', message })
    expect(await endWith(['x'.repeat(1_000)])).toMatchObject({ message: `${message}: ${'x'.repeat(200)}` })
  })
})
