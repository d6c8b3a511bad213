import { accessSync, constants, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isName, parseName } from '../framework/model/names.ts'
import type { ProcessScope } from '../framework/ports/method-runner.ts'
import { serviceWithin } from './scope-names.ts'

/*
 * The cgroups of one physical host: `<writable place>/haven/<host key>/<logical host>:<service>`. No controller is switched on; they only keep
 * count of who belongs to what, and unlike a tag no process can lose them. The files here are answered by the kernel from memory, so they
 * are read and written synchronously.
 */

/** A process that a cgroup holds, and the service that the cgroup stands for. */
export interface CgroupMember {
  readonly pid: number
  readonly service: string
}

/** Finds the directory below which this host keeps its cgroups; undefined where no cgroup v2 hierarchy is writable. */
export function findCgroupHome(hostKey: string): string | undefined {
  const place = writablePlaces(readOr('/proc/self/mounts', ''), readOr('/proc/self/cgroup', '')).find(isWritable)
  return place === undefined ? undefined : join(place, 'haven', hostKey)
}

/**
 * Lists where cgroups might be made, best first: the top of each cgroup v2 mount, then its directories down to the one we are in. A user's own
 * service manager may have got one of these. The topmost is best: there a restarted daemon finds what it left, in whichever cgroup it is itself.
 */
export function writablePlaces(mounts: string, ownCgroup: string): readonly string[] {
  const ownPath = /^0::(.*)$/m.exec(ownCgroup)?.[1] ?? '/'
  const steps = ownPath.split('/').filter((step) => step !== '')
  // Outside of our cgroup namespace there is no way down from the mount point.
  const below = steps.includes('..') ? [] : steps.map((_, index) => steps.slice(0, index + 1).join('/'))
  return mounts.split('\n').flatMap((line) => {
    const [, mountPoint = '', type] = line.split(' ')
    if (type !== 'cgroup2') return []
    const top = unescapeMount(mountPoint)
    return [top, ...below.map((path) => join(top, path))]
  })
}

/** Finds the directory of the cgroup that this process is in; undefined where no cgroup v2 hierarchy shows it. */
export function findOwnCgroup(): string | undefined {
  const own = readOr('/proc/self/cgroup', '')
  // Outside of our cgroup namespace there is no way to it.
  return /^0::.*\/\.\./m.test(own) ? undefined : writablePlaces(readOr('/proc/self/mounts', ''), own).at(-1)
}

/**
 * Tells the service in whose cgroup a process is, or in a cgroup below it; undefined when in none of this host. Of the process only `cgroup` is read, which
 * never waits for its memory lock.
 */
export function methodCgroupOf(hostKey: string, pid: number): ProcessScope | undefined {
  const path = /^0::(.*)$/m.exec(readOr(`/proc/${pid}/cgroup`, ''))?.[1] ?? ''
  const steps = path.split('/')
  const at = steps.findIndex((step, index) => step === 'haven' && steps[index + 1] === hostKey)
  const [logicalHost = '', service = ''] = at < 0 ? [] : (steps[at + 2]?.split(':') ?? [])
  if (!isName(logicalHost) || !isName(service)) return undefined
  return { logicalHost: parseName('logicalHost', logicalHost), service: parseName('dataService', service) }
}

/** Makes the cgroup of one service and returns its path; undefined when it cannot be made, which costs nothing but certainty. */
export async function makeCgroup(home: string, scope: ProcessScope): Promise<string | undefined> {
  const path = join(home, `${scope.logicalHost}:${scope.service}`)
  try {
    await mkdir(path, { recursive: true })
    return path
  } catch {
    return undefined
  }
}

/** Lists what the cgroups of the scope hold, including cgroups that a service made within its own. */
export function cgroupMembers(home: string, scope: ProcessScope): readonly CgroupMember[] {
  return scopeCgroups(home, scope).flatMap(({ path, service }) => pidsWithin(path).map((pid) => ({ pid, service })))
}

/**
 * Kills all that is in the cgroups of the scope in one stroke, however fast it forks. A cgroup that holds a process to be spared is left out, and
 * so is all where the kernel (before 5.14) has no `cgroup.kill`: the caller goes on process by process.
 */
export function killCgroups(home: string, scope: ProcessScope, spared: ReadonlySet<number>): void {
  for (const { path } of scopeCgroups(home, scope)) {
    if (pidsWithin(path).some((pid) => spared.has(pid))) continue
    try {
      writeFileSync(join(path, 'cgroup.kill'), '1', { flag: 'r+' })
    } catch {
      // No such file, or the cgroup has just been removed.
    }
  }
}

/** Removes the cgroups of the scope that are empty, and with the last one the home of the host. */
export function removeCgroups(home: string, scope: ProcessScope): void {
  for (const { path } of scopeCgroups(home, scope)) removeTree(path)
  removeIfEmpty(home)
}

function scopeCgroups(home: string, scope: ProcessScope): readonly { path: string; service: string }[] {
  return directoriesIn(home).flatMap((name) => {
    const service = serviceWithin(scope, `${scope.logicalHost}:`, name)
    return service === undefined ? [] : [{ path: join(home, name), service }]
  })
}

function pidsWithin(path: string): readonly number[] {
  // A 0 stands for a process outside of our pid namespace: not ours to see or to end.
  const own = readOr(join(path, 'cgroup.procs'), '')
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0)
  return [...own, ...directoriesIn(path).flatMap((name) => pidsWithin(join(path, name)))]
}

function removeTree(path: string): void {
  for (const name of directoriesIn(path)) removeTree(join(path, name))
  removeIfEmpty(path)
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Somebody runs in it again, or it is the home of other cgroups: it stays.
  }
}

function directoriesIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    accessSync(join(path, 'cgroup.procs'), constants.W_OK)
    return true
  } catch {
    return false
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

/** Undoes what proc(5) does to blanks and backslashes in mount points. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
