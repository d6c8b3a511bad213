// @ts-check
/**
 * `npm run demo`: two physical hosts on this machine, a web server that moves between them, and a client that watches. It runs the commands of bin/
 * as anybody would, checks what comes of them, and leaves nothing behind. Exit code: 0 when all was as it should be, 130 after Ctrl-C, else 1.
 */
import { Checks } from './demo/checks.mjs'
import { clearStage, leftBehind } from './demo/clear-stage.mjs'
import { Commands } from './demo/commands.mjs'
import { closeStage, makeStage } from './demo/stage.mjs'
import { playStory } from './demo/story.mjs'
import { heading, say } from './demo/tell.mjs'
import { WebClient } from './demo/web-client.mjs'

/** The demo takes a third of a minute. A machine that needs so long has stopped somewhere. */
const PATIENCE_MS = 180_000

const startedAt = performance.now()
const curtain = new AbortController()
let isInterrupted = false
const interrupt = () => {
  isInterrupted = true
  curtain.abort(new Error('interrupted'))
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt)
// Whoever reads has seen enough (`npm run demo | head`): clean up all the same.
process.stdout.on('error', interrupt)
const patience = setTimeout(() => curtain.abort(new Error(`it is not done after ${PATIENCE_MS / 1000} s`)), PATIENCE_MS)

const checks = new Checks()
try {
  await perform()
} catch (error) {
  if (!isInterrupted) checks.fail(error instanceof Error ? error.message : String(error))
} finally {
  clearTimeout(patience)
}
conclude()

async function perform() {
  const stage = await makeStage()
  const client = new WebClient(stage)
  try {
    await playStory({ stage, client, checks, commands: new Commands(stage, curtain.signal), signal: curtain.signal })
  } finally {
    client.stop()
    if (isInterrupted) say('', 'Interrupted: cleaning up.')
    await clearStage(stage)
    checks.expect('nothing was left running, and no file and no cgroup behind', await leftBehind(stage), [])
    await closeStage(stage)
  }
}

function conclude() {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const { failures, count } = checks
  if (failures.length > 0) {
    heading('Not as it should be')
    for (const failure of failures) say(`  ${failure}`)
    say('', `Demo FAILED: ${failures.length} of ${count} checks, after ${seconds} s.`)
    process.exitCode = 1
  } else if (isInterrupted) {
    say('', `Demo interrupted after ${seconds} s.`)
    process.exitCode = 130
  } else {
    say('', `Demo passed: ${count} checks in ${seconds} s.`)
  }
}
