import { describe, expect, it } from 'vitest'
import { describeChanges } from '../../../src/framework/configure/describe-changes.ts'
import { demo, ha1 } from './fixture.ts'

const before = demo.logicalHosts.get(ha1)

describe('a change of addresses', () => {
  it('shows them plainly, with their adapters', () => {
    if (before === undefined) throw new Error('unreachable')
    const local = { kind: 'local', address: '127.1.0.9', prefixLength: 32, adapters: {} } as const
    const adapters = { alpha: 'eth0', beta: 'eth1' }
    const floating = { kind: 'ip', address: '192.0.2.9', prefixLength: 24, adapters } as const
    const logicalHost = { ...before, addresses: [local, floating] }
    const [change] = describeChanges(demo, [{ kind: 'put-logical-host', logicalHost }])
    expect(change).toMatchObject({ kind: 'change', what: 'logical host ha1' })
    expect(change?.lines).toHaveLength(1)
    expect(change?.lines[0]).toMatch(
      /^addresses: \[.*\] -> \[127\.1\.0\.9\/32, 192\.0\.2\.9\/24 \(alpha: eth0, beta: eth1\)\]$/,
    )
    expect(change?.lines[0]).not.toContain('{')
  })
})
