// @ts-check
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cutPower } from './clear-stage.mjs'
import { complete, judgeTimeline } from './judge-timeline.mjs'
import { duration, heading, say, showCommand, showOutput } from './tell.mjs'

/**
 * What every act is given.
 * @typedef {{
 *   stage: import('./stage.mjs').Stage, client: import('./web-client.mjs').WebClient, checks: import('./checks.mjs').Checks,
 *   commands: import('./commands.mjs').Commands, signal: AbortSignal,
 * }} Play
 */

const PAGE = '<!doctype html>\n<title>Haven</title>\n<p>This page lies on a disk group.\n'
const NEWS = 'written while beta was the master\n'
/** Far longer than anything here takes; a wait in vain is a failure. */
const WAIT_MS = 30_000

/**
 * Plays the whole demo. Throws when it cannot go on.
 * @param {Play} play
 */
export async function playStory(play) {
  introduce(play)
  await startHosts(play)
  await configure(play)
  await switchOn(play)
  const switchover = await switchOver(play)
  const takeover = await losePower(play)
  await comeBack(play)
  sumUp(play, { switchover, takeover })
  await stopHosts(play)
}

/** @param {Play} play */
function introduce({ stage: { directory, installation, alpha } }) {
  say(
    'Haven demo: a web server moves between two physical hosts, alpha and beta, and a client watches it move. Both hosts are on',
    'this machine: each has its own daemons and its own directory. It takes about 10 seconds and needs no rights; everything is',
    `in ${directory}, which is removed at the end.`,
    '',
    'Lines such as "alpha$ hastat" are the commands that run, as you would type them at that host. Here, a host is a directory:',
    `    export PATH=${installation}/bin:$PATH`,
    `    HAVEN_ROOT=${alpha.root} hastat`,
  )
}

/** @param {Play} play */
async function startHosts({ stage: { alpha, beta, cluster, database }, commands }) {
  heading('Two physical hosts become a cluster')
  say('Each host runs a daemon, clustd, and a guard, failfastd, that stops the host when it may no longer be a member.')
  await commands.run(alpha, `scadmin setup --cluster ${cluster} --host alpha --database file:${database}`)
  await commands.run(alpha, `scadmin startcluster alpha ${cluster}`)
  await commands.run(beta, `scadmin setup --cluster ${cluster} --host beta --database file:${database}`)
  await commands.run(beta, 'scadmin startnode')
}

/** @param {Play} play */
async function configure({ stage, commands, checks }) {
  const { alpha, beta, address, port, diskGroup, directory } = stage
  heading('A logical host: a disk group and an address that move together')
  say('The disk group is a directory that both hosts see. In it are a page, and the settings of the web server:')
  await mkdir(join(diskGroup, 'htdocs'))
  await mkdir(join(diskGroup, 'http'))
  await writeFile(join(diskGroup, 'htdocs/index.html'), PAGE)
  await show(join(diskGroup, 'http/http.conf'), [
    `ADDRESS=${address}`,
    `PORT=${port}`,
    'FOLDER=htdocs',
    'SERVED_BY=$HA_PHYSICAL_HOST   # a header of each answer, so that the client sees who answers',
  ])
  await show(join(directory, 'cluster.yaml'), [
    `cluster: { name: ${stage.cluster} }`,
    'diskGroups:',
    '  web-data:',
    `    directory: ${diskGroup}`,
    'logicalHosts:',
    '  ha1:',
    '    physicalHosts: [alpha, beta]   # in order of preference',
    '    diskGroups: [web-data]',
    '    addresses:',
    `      - address: ${address}`,
  ])
  await commands.run(alpha, 'scconf apply -f cluster.yaml')
  checks.expect('the other host knows of it', await commands.ask(beta, 'haget -f all_logical_hosts'), 'ha1')
}

/** @param {Play} play */
async function switchOn({ stage, commands, client, checks, signal }) {
  const { alpha } = stage
  heading('A data service: registered once, switched on')
  await commands.run(alpha, 'hareg -s -r http -h ha1')
  await commands.run(alpha, 'hareg -y http')
  client.start(PAGE)
  await client.waitFor('alpha', { withinMs: WAIT_MS, signal })
  say('', `A client begins to ask for ${client.url}/ every 5 ms, and gets its page from alpha.`)
  checks.expect('alpha is the master', await commands.ask(alpha, 'haget -f master -h ha1'), 'alpha')
}

/**
 * @param {Play} play
 * @returns {Promise<number>} milliseconds that the reconfiguration took
 */
async function switchOver({ stage, commands, client, checks, signal }) {
  const { alpha, beta, address } = stage
  heading('A switchover: first the plan, then the deed, then where the time went')
  await commands.run(alpha, 'haswitch --plan beta ha1')
  await commands.run(alpha, 'haswitch beta ha1')
  await client.waitFor('beta', { withinMs: WAIT_MS, signal })
  checks.expect('beta is the master now', await commands.ask(alpha, 'haget -f master -h ha1'), 'beta')
  const { number, timeline } = await findTimeline(commands, alpha, 'switchover')
  await commands.run(alpha, `scadmin timeline ${number}`)
  checks.expect(
    'the timeline of the switchover is complete',
    judgeTimeline(timeline, 'ha1'),
    complete(
      'alpha: STOP_NET http',
      `alpha: address ${address} down`,
      'alpha: end processes',
      'alpha: export web-data from /ha1',
      'alpha: prove that nothing is left',
      'beta: import web-data at /ha1',
      `beta: address ${address} up`,
      'beta: START_NET http',
    ),
  )
  sayOutage(client)
  await writeFile(join(beta.root, 'ha1/htdocs/news.txt'), NEWS)
  checks.expect('a file that beta wrote is served', (await client.read('/news.txt')).body, NEWS)
  return timeline.durationMs
}

/**
 * @param {Play} play
 * @returns {Promise<number>} milliseconds that the reconfiguration took
 */
async function losePower({ stage, commands, client, checks, signal }) {
  const { alpha, beta, address } = stage
  heading('A takeover: beta loses its power, all of its processes at the same moment')
  const killed = await cutPower(stage, beta)
  showCommand(
    '',
    `kill -KILL ${killed.map(({ pid }) => pid).join(' ')}   # of beta: ${killed.map(({ name }) => name).join(', ')}`,
  )
  const names = killed.map(({ name }) => name).sort()
  checks.expect('the power of a whole host was cut', names, ['clustd', 'failfastd', 'http-server'])
  await client.waitFor('alpha', { withinMs: WAIT_MS, signal })
  const news = await client.read('/news.txt')
  checks.expect('alpha serves what beta wrote', [news.body, news.servedBy], [NEWS, 'alpha'])
  const { number, timeline } = await settledTimeline({ commands, signal }, alpha)
  checks.expect('alpha is the master again', await commands.ask(alpha, 'haget -f master -h ha1'), 'alpha')
  await commands.run(alpha, `scadmin timeline ${number}`)
  checks.expect(
    'the timeline of the takeover is complete',
    judgeTimeline(timeline, 'ha1'),
    complete(
      'alpha: import web-data at /ha1 by force from beta',
      `alpha: address ${address} up`,
      'alpha: START_NET http',
    ),
  )
  sayOutage(client)
  await commands.run(alpha, 'scadmin explain ha1')
  await commands.run(alpha, 'hastat')
  return timeline.durationMs
}

/** @param {Play} play */
async function comeBack({ stage, commands, checks }) {
  const { alpha, beta } = stage
  heading('beta has its power back')
  await commands.run(beta, 'scadmin startnode')
  await commands.run(alpha, 'scadmin history')
  checks.expect('both are members', (await commands.ask(alpha, 'haget -f members')).split('\n'), ['alpha', 'beta'])
}

/** @param {Play} play @param {{ switchover: number, takeover: number }} took */
function sumUp({ client, checks }, took) {
  heading('What the client saw')
  client.stop()
  checks.expect('alpha serves it to the end', [client.servedBy, client.trouble], ['alpha', undefined])
  const [first, second] = client.outages
  const moves = client.outages.map(({ from, to }) => `${from} to ${to}`)
  checks.expect('the client was without an answer during the two moves only', moves, ['alpha to beta', 'beta to alpha'])
  checks.expect('the client never got anything but the page', client.wrong, [])
  say(
    `${client.good} answers, each of them the page; ${client.failed} questions failed, all of them during the two moves:`,
  )
  if (first !== undefined)
    say(
      `    switchover   ${duration(first.outageMs)} without an answer; the reconfiguration took ${duration(took.switchover)}`,
    )
  if (second === undefined) return
  say(
    `    takeover     ${duration(second.outageMs)} without an answer: ${duration(second.outageMs - took.takeover)} until it was certain that beta had stopped,`,
    `                 then ${duration(took.takeover)} for the reconfiguration`,
  )
}

/** @param {Play} play */
async function stopHosts({ stage: { alpha, beta }, commands }) {
  heading('The end: both hosts leave in an orderly way')
  await commands.run(beta, 'scadmin stopnode')
  await commands.run(alpha, 'scadmin stopnode')
}

/** @param {import('./web-client.mjs').WebClient} client */
function sayOutage({ outages }) {
  const outage = outages.at(-1)
  if (outage === undefined) return
  const { from, to, outageMs, failed } = outage
  say('', `The client had no answer for ${duration(outageMs)} between ${from} and ${to}: ${failed} questions failed.`)
}

/** @param {import('./commands.mjs').Commands} commands @param {import('./stage.mjs').Host} host @param {string} kind - of its cause */
async function findTimeline(commands, host, kind) {
  const { reconfigurations } = await commands.askJson(host, 'scadmin history')
  const found = reconfigurations.findLast((/** @type {any} */ row) => row.cause.kind === kind)
  if (found === undefined) throw new Error(`there is no reconfiguration of the kind ${kind}`)
  return { number: found.number, timeline: await commands.askJson(host, `scadmin timeline ${found.number}`) }
}

/** The client is served a moment before the end of the last half is committed. @param {Pick<Play, 'commands' | 'signal'>} play @param {import('./stage.mjs').Host} host */
async function settledTimeline({ commands, signal }, host) {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const found = await findTimeline(commands, host, 'hosts-lost')
    if (found.timeline.state !== 'running' || performance.now() > deadline) return found
    signal.throwIfAborted()
  }
}

/** @param {string} path @param {string[]} lines */
async function show(path, lines) {
  await writeFile(path, `${lines.join('\n')}\n`)
  showCommand('', `cat ${path}`)
  for (const line of (await readFile(path, 'utf8')).trimEnd().split('\n')) showOutput(line)
}
