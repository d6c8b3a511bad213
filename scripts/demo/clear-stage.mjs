// @ts-check
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** @typedef {import('./stage.mjs').Stage} Stage */
/** @typedef {import('./stage.mjs').Host} Host */
/** @typedef {{ pid: number, name: string }} Found */

/** A process that was told to end by KILL is gone within milliseconds, unless a disk holds it. */
const ROUNDS_MAX = 200
const ROUND_MS = 25

/**
 * Lists the processes of a physical host: the daemons, the data services, and commands that are asking it. The guard comes first.
 * @param {Pick<Stage, 'cgroups'>} stage
 * @param {Host} host
 * @returns {Found[]}
 */
export function processesOf(stage, host) {
  const inCgroups = new Set(stage.cgroups.filter((path) => basename(path) === host.key).flatMap(pidsBelow))
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && (inCgroups.has(pid) || isOf(host, pid)))
    .map((pid) => ({ pid, name: nameOf(pid) }))
  return found.sort((one, other) => Number(other.name === 'failfastd') - Number(one.name === 'failfastd'))
}

/**
 * Ends everything of a physical host at once, as the loss of its power does. Returns what was ended.
 * @param {Pick<Stage, 'cgroups'>} stage
 * @param {Host} host
 * @returns {Promise<Found[]>}
 */
export async function cutPower(stage, host) {
  const first = processesOf(stage, host)
  let found = first
  for (let round = 0; round < ROUNDS_MAX && found.length > 0; round += 1) {
    for (const { pid } of found) endProcess(pid)
    await sleep(round === 0 ? 0 : ROUND_MS)
    found = processesOf(stage, host)
  }
  if (found.length > 0) throw new Error(`process ${found[0]?.pid} of ${host.name} does not end`)
  return first
}

/**
 * Ends all that runs for the demo, and removes its cgroups. The directory stays, for a look.
 * @param {Stage} stage
 */
export async function clearStage(stage) {
  for (const host of stage.hosts) await cutPower(stage, host)
  for (const path of stage.cgroups) removeCgroup(path)
}

/**
 * Lists what is there of the demo that should not be; its directory is not counted.
 * @param {Stage} stage
 * @returns {Promise<string[]>}
 */
export async function leftBehind(stage) {
  const processes = stage.hosts.flatMap((host) =>
    processesOf(stage, host).map(({ pid, name }) => `process ${pid} (${name})`),
  )
  return [...processes, ...stage.cgroups.filter((path) => existsSync(path))]
}

/** @param {Host} host @param {number} pid */
function isOf({ root, key }, pid) {
  const variables = readOr(`/proc/${pid}/environ`).split('\0')
  if (variables.some((one) => one === `HAVEN_ROOT=${root}` || one.startsWith(`HAVEN_SCOPE=${key}/`))) return true
  return readOr(`/proc/${pid}/cmdline`).split('\0').includes(root)
}

/** @param {number} pid */
function nameOf(pid) {
  const words = readOr(`/proc/${pid}/cmdline`).split('\0')
  const program = words.find((word) => /\.mjs$|\/bin\/(clustd|ha|sc)/.test(word)) ?? words[0] ?? ''
  return basename(program).replace(/\.mjs$/, '')
}

/** @param {number} pid */
function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** @param {string} path @returns {number[]} */
function pidsBelow(path) {
  const own = readOr(join(path, 'cgroup.procs')).split('\n').map(Number)
  return [...own.filter((pid) => pid > 0), ...directoriesIn(path).flatMap((name) => pidsBelow(join(path, name)))]
}

/** @param {string} path */
function removeCgroup(path) {
  for (const name of directoriesIn(path)) removeCgroup(join(path, name))
  try {
    rmdirSync(path)
  } catch {
    // It was never made; or something is in it, and then it is found to be left behind.
  }
}

/** @param {string} path */
function directoriesIn(path) {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

/** @param {string} path */
function readOr(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // It has ended, or belongs to somebody else.
  }
}
