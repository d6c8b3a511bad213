import { readFileSync } from 'node:fs'
import { guardPlaces } from '../../../src/framework/failfast/guard-files.ts'
import { decodeLine, type GuardOrders } from '../../../src/framework/failfast/guard-orders.ts'
import type { LabHost } from './lab-host.ts'

/** A process of a host. */
export interface SeenProcess {
  readonly pid: number
  readonly words: string
  /** Working directory. */
  readonly cwd: string
}

/** What is on a host, by the host's own kernel. */
export interface HostView {
  readonly host: string
  /** What is mounted below HAVEN_ROOT but /run, and the small disk of an etcd. */
  readonly mounts: readonly { readonly place: string; readonly device: string }[]
  /** Symbolic links in HAVEN_ROOT: where disk groups appear that are directories. */
  readonly links: readonly string[]
  /** Addresses beside the host's own. */
  readonly addresses: readonly string[]
  /** Everything but pid 1, the daemons of Haven, etcd and this look. */
  readonly processes: readonly SeenProcess[]
}

/** Below HAVEN_ROOT. */
const OWN_MOUNTS = ['/run', '/etcd']

const LOOK = `cat /proc/self/mountinfo; echo ----; ip -json -4 address show; echo ----; ps -e -o pid=,stat=,args= |
while read -r pid stat words; do echo "$pid $stat $(readlink /proc/$pid/cwd) $words"; done; echo ----; find "$HAVEN_ROOT" -maxdepth 1 -type l`
/** Our own daemons with what watches and asks over the adapters for them, the cluster database, and the look itself with what runs it. */
const KNOWN =
  /bin\/clustd|failfastd\.mjs|voterd|^etcd |^perl -e\s+use strict; \$\| = 1; socket\(my \$socket, 16|^perl -e\s+use strict; defined\(my \$line = <STDIN>|^(sh -c exec )?ip -force -json -batch -|^ps -e|^sh -c cat \/proc\/self\/mountinfo/

/** Looks at a host that is on. */
export async function lookAtHost(host: LabHost): Promise<HostView> {
  const [mountinfo = '', addresses = '[]', processes = '', links = ''] = (await host.exec('sh', '-c', LOOK)).split(
    '----\n',
  )
  const mounts = mountinfo.split('\n').map((line) => line.split(' '))
  return {
    host: host.name,
    mounts: mounts
      .map((fields) => ({ place: fields[4] ?? '', device: fields[2] ?? '' }))
      .filter(({ place }) => place.startsWith(`${host.root}/`) && !OWN_MOUNTS.includes(place.slice(host.root.length))),
    addresses: readAddresses(addresses).filter((address) => ![...host.ownAddresses, '127.0.0.1'].includes(address)),
    processes: processes.split('\n').flatMap(readProcess),
    links: links.split('\n').filter((line) => line !== ''),
  }
}

function readAddresses(json: string): readonly string[] {
  const links = JSON.parse(json) as readonly { readonly addr_info: readonly { readonly local: string }[] }[]
  return links.flatMap(({ addr_info }) => addr_info.map(({ local }) => local))
}

function readProcess(line: string): readonly SeenProcess[] {
  const [, pid, state = '', cwd = '', words = ''] = /^(\d+) (\S+) (\S*) (.*)$/.exec(line) ?? []
  if (pid === undefined || pid === '1' || state.startsWith('Z') || KNOWN.test(words)) return []
  return [{ pid: Number(pid), words, cwd }]
}

/** Finds a daemon of Haven on a host; its pid is that of the host's own pid namespace. */
export async function pidOf(host: LabHost, daemon: 'clustd' | 'failfastd'): Promise<number | undefined> {
  const pattern = daemon === 'clustd' ? 'bin/clustd --mode' : 'failfastd.mjs'
  const { stdout } = await host.try('pgrep', '-o', '-f', '--', `^[^ ]*node .*${pattern}`)
  const pid = Number(stdout.trim())
  return pid > 0 ? pid : undefined
}

/** What clustd has told the guard of a host; undefined when that is just being written. */
export function guardOrders(host: LabHost): GuardOrders | undefined {
  return decodeLine<GuardOrders>(readFileSync(guardPlaces(`/proc/${host.pid}/root${host.root}`).orders))
}
