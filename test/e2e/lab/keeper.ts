import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { PATH, runProgram, type Words } from './run-program.ts'

/**
 * Pid 1 of a host, and the process that keeps the namespaces of a switch: reaps what is orphaned, and ends with its standard input, which ends when
 * this test process does, in whatever way. All that the namespaces hold goes with it: processes, mounts, loop devices, network adapters.
 */
const PERL = `$| = 1; $SIG{CHLD} = "IGNORE"; $SIG{$_} = "IGNORE" for qw(HUP INT TERM PIPE);
print "up\\n"; while (1) { my $n = sysread STDIN, my $b, 4096; last if defined $n && $n == 0 }`

/** A set of namespaces, kept by a process in them. */
export interface Keeper {
  /** Pid outside of them. */
  readonly pid: number
  /** Kills it, and with a pid namespace all that is in it; resolves when nothing of it is left. */
  kill(): Promise<void>
}

/** How namespaces are made. */
export interface KeeperPlan {
  /** Options of unshare: which namespaces. */
  readonly unshare: readonly string[]
  /** Runs in them before the keeper begins. */
  readonly setup: string
  /** Its $1, $2, ... */
  readonly words: readonly string[]
  /** The cgroup to be in; empty = where this process is. */
  readonly cgroup: string
}

/** Makes namespaces and sets them up. Resolves when that is done; rejects with what was printed. */
export async function startKeeper({ unshare, setup, words, cgroup }: KeeperPlan): Promise<Keeper> {
  // `read` is the shell's own: the pid is that of the shell, which becomes the keeper; in a /proc that is still the outer one.
  const whole = `set -e\nread -r pid rest </proc/self/stat\n${setup}\necho "$pid"\nexec perl -e '${PERL}'`
  // A cgroup namespace begins where its maker is.
  const enter = '[ -z "$0" ] || echo 0 >"$0/cgroup.procs"; exec unshare "$@"'
  const child = spawn('sh', ['-c', enter, cgroup, ...unshare, '--', 'sh', '-c', whole, 'keeper', ...words], {
    env: { ...process.env, PATH, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is for the test process; what it leaves is ended by the end of its standard input.
  })
  const pid = await firstLines(child)
  return { pid, kill: () => kill(child, pid) }
}

function firstLines(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let errors = ''
    let pid = 0
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk
    })
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line === 'up') resolve(pid)
        else pid = Number(line)
      })
    }
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`no namespaces, exit code ${code}: ${errors}`)))
  })
}

async function kill(child: ChildProcess, pid: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  // Where unshare has forked it waits for pid 1, which is gone only when every process of its namespace is.
  const ended = new Promise((resolve) => child.once('exit', resolve))
  process.kill(pid, 'SIGKILL')
  await ended
}

/** The words that run a program in the namespaces of a keeper. `all`: every one that a host has; else only that of the network. */
export function inside(pid: number, which: 'all' | 'network', words: Words): Words {
  const namespaces = which === 'network' ? ['-n'] : ['-m', '-u', '-i', '-n', '-p', '-C']
  return ['nsenter', '-t', String(pid), ...namespaces, '--', ...words]
}

/** Where cgroup v2 is mounted on this machine; undefined = nowhere. */
export function cgroupMount(): string | undefined {
  const line = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find((mount) => mount.split(' ')[2] === 'cgroup2')
  return line?.split(' ')[1]
}

/** Removes a cgroup and all below it. Nothing may run there any more. */
export async function removeCgroups(path: string): Promise<void> {
  await runProgram(['sh', '-c', '[ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} +', 'sh', path])
}
