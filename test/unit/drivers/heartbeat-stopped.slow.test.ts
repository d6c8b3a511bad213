import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { bundleHeartbeats } from '../../contract/heartbeat-bundle.ts'
import { eventually } from '../../eventually.ts'
import { bundleHeartbeatHost, HeartbeatHost } from './heartbeat-host-rig.ts'

const directory = mkdtempSync(join(tmpdir(), 'haven-heartbeat-stopped-'))
const hosts: HeartbeatHost[] = []
let [program, entry] = ['', '']
beforeAll(async () => {
  ;[program, entry] = await Promise.all([bundleHeartbeats(directory), bundleHeartbeatHost(directory)])
})
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.end()))
  rmSync(directory, { recursive: true })
})

const effects = createRealEffects()
const STOPPED_MS = 2_000
const ALPHA = { host: 'alpha', address: '127.12.1.1' }
const BETA = { host: 'beta', address: '127.12.1.2' }

function start(me: typeof ALPHA, other: typeof ALPHA): HeartbeatHost {
  const port = 20_000 + (process.pid % 20_000)
  const order = { program, port, me, other, network: 'priv1', intervalMs: 50, silentMs: 1_000 }
  const child = spawn(process.execPath, [entry, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const host = new HeartbeatHost(child)
  hosts.push(host)
  return host
}

it('thinks nobody silent for the time that it was stopped itself', { timeout: 30_000 }, async () => {
  const [alpha, beta] = [start(ALPHA, BETA), start(BETA, ALPHA)]
  await Promise.all([alpha.tells('heard', { times: 3 }), beta.tells('heard', { times: 3 })])
  const [ofAlpha, ofBeta] = [alpha.told.length, beta.told.length]
  alpha.process.kill('SIGSTOP')
  const stoppedMs = effects.nowMonotonicMs()
  await eventually('two seconds', 5_000, () => effects.nowMonotonicMs() - stoppedMs > STOPPED_MS || undefined)
  await beta.tells('silent', { from: ofBeta })
  expect(beta.count('silent', ofBeta)).toBe(1)
  alpha.process.kill('SIGCONT')
  await alpha.tells('slept', { from: ofAlpha })
  await alpha.tells('heard', { from: ofAlpha, times: 5 })
  await beta.tells('audible', { from: ofBeta })
  const woken = alpha.told.slice(ofAlpha)
  expect(woken.find((word) => word.kind === 'slept')?.ms).toBeGreaterThan(STOPPED_MS - 100)
  expect(woken.filter(({ kind }) => kind !== 'heard' && kind !== 'message' && kind !== 'slept')).toEqual([])
  // Who really is gone is still found silent.
  await beta.end()
  await alpha.tells('silent', { from: ofAlpha })
  await alpha.tells('changed', { from: ofAlpha })
})
