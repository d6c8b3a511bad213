import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A machine that makes processes faster than they can be stopped is not paused but sick. */
const ROUNDS_MAX = 100

/**
 * Stops every process in the pid namespace of a process but that one itself. A process that is being made while we look is found in the next round. What
 * was sent in from outside, such as a command of a test, is no part of the machine and goes on: nsenter would stop with it, for good.
 */
export async function freezeAll(pid: number): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const moving = processesOf(pid).filter((each) => !isStopped(each))
    if (moving.length === 0) return
    for (const each of moving) send(each, 'SIGSTOP')
  }
  throw new Error(`the processes beside ${pid} do not stop`)
}

/** Lets all of them go on. */
export async function thawAll(pid: number): Promise<void> {
  for (const each of processesOf(pid)) send(each, 'SIGCONT')
}

function processesOf(pid: number): readonly number[] {
  const namespace = namespaceOf(pid)
  const all = readdirSync('/proc')
    .map(Number)
    .filter((each) => each > 0 && namespaceOf(each) === namespace)
  return all.filter((each) => each !== pid && all.includes(Number(statusOf(each)?.parent)))
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined // It has ended.
  }
}

/** Zombies need no stopping, and what has ended neither. */
function isStopped(pid: number): boolean {
  return ['T', 't', 'Z', 'X', undefined].includes(statusOf(pid)?.state)
}

/** Undefined: it has ended. */
function statusOf(pid: number): { readonly state: string; readonly parent: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state = '', parent = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state, parent }
  } catch {
    return undefined
  }
}

function send(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}
