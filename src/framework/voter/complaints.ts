/** Why etcd ended, and what an operator does about it. */
export interface Complaint {
  readonly what: string
  readonly remedy: string
}

/** Lines of the log that are looked at, from its end. */
const LINES_MAX = 80
/** Characters of a sentence of etcd that are shown. */
const SENTENCE_MAX = 300

/**
 * What etcd says when it cannot go on, and what that means. Only for people: nothing is decided by it (a voter that was taken out is known by
 * asking the others). The first that matches counts.
 */
const KNOWN: readonly (readonly [RegExp, string, string])[] = [
  [/no space left on device|ENOSPC/i, 'the disk with its data is full', 'Make space; it starts again by itself.'],
  [
    /permission denied|read-only file system/i,
    'its data cannot be written',
    'Look at the rights and the mount of its data directory.',
  ],
  [
    /address already in use/i,
    'another program has its port',
    'Find it with `ss -ltnp`; an etcd that came with the package: systemctl disable --now etcd',
  ],
  [
    /cannot assign requested address/i,
    'this machine does not have its address (now)',
    'Bring the address up. If this machine has another one from now on: scadmin voters address FORMER NEW',
  ],
  [
    /cluster ID mismatch|different cluster|does not match any|mismatch.*member/i,
    'its data are of another cluster, or the others are',
    'Take this voter out elsewhere (scadmin voters remove), then let this machine join anew: its former data are put aside.',
  ],
  [
    /permanently removed|removed from the cluster|member has been removed/i,
    'it was taken out of the cluster',
    'Let this machine join anew if it shall vote.',
  ],
  [
    /already been bootstrapped/i,
    'its data are gone, and it was a voter before',
    'Take it out elsewhere (scadmin voters remove), then let this machine join anew.',
  ],
  [
    /crc mismatch|walpb|snap: |invalid database|checksum error|freelist|unexpected EOF|failed to (open|read|recover)|corrupt/i,
    'its data are damaged',
    'While the others have a majority, nothing is lost: take this voter out elsewhere (scadmin voters remove), then let this machine join anew. If it is the only voter: scadmin database restore.',
  ],
  [
    /certificate|private key|x509|tls:/i,
    'its certificate cannot be used',
    'Look at etc/haven/security; let this host join anew, or renew its certificate.',
  ],
]

/** Finds in the end of etcd's log why it ended. */
export function complaintOf(lines: readonly string[]): Complaint {
  const severe = lines.slice(-LINES_MAX).map(readLine).filter(isSevere)
  const text = severe.map(({ said }) => said).join('\n')
  const [, what, remedy] = KNOWN.find(([pattern]) => pattern.test(text)) ?? []
  const last = severe.at(-1)?.said.slice(0, SENTENCE_MAX)
  if (what !== undefined && remedy !== undefined) return { what: `${what} (etcd: ${last})`, remedy }
  return {
    what: last === undefined ? 'etcd does not say why' : `etcd says: ${last}`,
    remedy: 'See var/log/haven/etcd.log.',
  }
}

interface Line {
  readonly level: string
  readonly said: string
}

function readLine(line: string): Line {
  try {
    const { level, msg, error } = JSON.parse(line) as Readonly<Record<string, unknown>>
    return { level: String(level), said: error === undefined ? String(msg) : `${String(msg)}: ${String(error)}` }
  } catch {
    return { level: 'panic', said: line } // What is not JSON is Go's own last word, or that of its predecessors.
  }
}

function isSevere({ level, said }: Line): boolean {
  return ['error', 'dpanic', 'panic', 'fatal'].includes(level) && !/^(goroutine|\t|\s*$)/.test(said)
}
