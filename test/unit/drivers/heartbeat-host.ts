import { openHeartbeatChannel } from '../../../src/framework/drivers/network/heartbeat-channel.ts'
import { silentForMs } from '../../../src/framework/membership/heartbeats.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import type { HostOrder, HostWord } from './heartbeat-host-rig.ts'

// A process that holds a channel, as clustd does, and tells what it thinks of one other host: a line of JSON whenever that changes.

const { program, port, me, other, network, intervalMs, silentMs } = JSON.parse(process.argv[2] ?? '') as HostOrder
const effects = createRealEffects()
const say = (word: HostWord): boolean => process.stdout.write(`${JSON.stringify(word)}\n`)

const peers = openHeartbeatChannel({
  program,
  clusterKey: new Uint8Array(32).fill(7),
  cluster: parseName('cluster', 'demo'),
  effects,
  warn: (why) => void say({ kind: 'warned', why }),
  port,
})
const host = parseName('physicalHost', other.host)
peers.onChange(silentMs, () => void say({ kind: 'changed' }))
peers.listen((_, message) => void say({ kind: 'message', round: message.round }))
await peers.configure({
  me: { host: parseName('physicalHost', me.host), addresses: [{ network, address: me.address }] },
  others: [{ host, addresses: [{ network, address: other.address }] }],
  intervalMs,
})
say({ kind: 'ready' })

let [lastMs, saidMs, wasSilent, rounds] = [effects.nowMonotonicMs(), 0, true, 0]
for (;;) {
  const nowMs = effects.nowMonotonicMs()
  // As the loop of clustd sees it, at once when it runs again: nothing of the thread may have run yet.
  const hearing = { heard: peers.heard(), listeningSinceMs: peers.listeningSinceMs(), nowMs }
  if (nowMs - lastMs > silentMs) say({ kind: 'slept', ms: nowMs - lastMs })
  lastMs = nowMs
  const atMs = hearing.heard.find((one) => one.host === host)?.atMs ?? 0
  const isSilent = atMs === 0 || silentForMs(hearing, host) >= silentMs
  if (isSilent !== wasSilent) say({ kind: isSilent ? 'silent' : 'audible' })
  wasSilent = isSilent
  if (atMs > saidMs + 4 * intervalMs) {
    saidMs = atMs
    rounds += 1
    say({ kind: 'heard' })
    peers.send(host, { kind: 'ask-promise', incarnation: 1, round: rounds, expiryMs: 1 })
  }
  await effects.sleep(2)
}
