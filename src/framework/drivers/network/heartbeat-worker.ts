import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { createRealEffects } from '../../ports/real-effects.ts'
import type { Order, WorkerStart } from './heartbeat-orders.ts'
import { HeartbeatStation } from './heartbeat-station.ts'

// The thread of the heartbeats; `heartbeat-channel.ts` starts it from a bundle of its own.
assert(parentPort !== null, 'heartbeats are sent by a thread of clustd')
const port = parentPort
const station = new HeartbeatStation(workerData as WorkerStart, createRealEffects(), (notice) =>
  port.postMessage(notice),
)
port.on('message', (order: Order) => {
  station.take(order)
  if (order.kind === 'close') port.close()
})
await station.run()
