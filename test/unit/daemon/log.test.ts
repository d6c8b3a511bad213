import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createDaemonLog } from '../../../src/framework/daemon/log.ts'
import { VirtualClock } from './virtual-clock.ts'

it('keeps the newest lines, and hands out as many as were asked for, also none', async () => {
  const root = mkdtempSync(join(tmpdir(), 'haven-log-'))
  mkdirSync(join(root, 'var/log/haven'), { recursive: true })
  const effects = new VirtualClock().effects()
  const log = createDaemonLog({ effects, root, physicalHost: 'alpha', toTerminal: false })
  try {
    for (const message of ['one', 'two', 'three']) log.write({ level: 'info', message })
    log.write({ level: 'debug', message: 'not for people' })
    expect(log.recent(0)).toEqual([])
    expect(log.recent(2).map(({ text }) => text)).toEqual(['two', 'three'])
    expect(log.recent(100).map(({ text }) => text)).toEqual(['one', 'two', 'three'])
  } finally {
    await log.close()
    rmSync(root, { recursive: true })
  }
})
