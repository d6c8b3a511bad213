import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { Lab } from './lab.ts'
import { programIn } from './programs.ts'

/** Where the marks of a logical host are: on a disk that nobody keeps apart. */
export function marksOf(lab: Lab, logicalHost: string): string {
  return join(lab.shared, `${logicalHost}.marks`)
}

/** Forgets what was written there. Whoever writes goes on at the beginning. */
export function forgetMarks(lab: Lab, logicalHost: string): void {
  truncateSync(marksOf(lab, logicalHost))
}

/** Makes the methods of the marking service: a process on each disk group that writes who it is, every 5 ms. Returns what `hareg -r` needs beside its name. */
export function makeMarking(lab: Lab): readonly string[] {
  const directory = join(lab.shared, 'mark')
  mkdirSync(directory)
  const method = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o755 })
  method('start', start(programIn(inject('workshop'), 'marker'), lab.shared))
  method('stop', STOP)
  return ['-b', directory, '-m', 'START=start,STOP=stop,ABORT=stop', '-t', 'START=10,STOP=5,ABORT=1']
}

const start = (marker: string, shared: string): string => `#!/bin/sh
. haven-method.sh
begin() {
  haven_start_daemon "$HAVEN_ROOT/$1/mark.pid" "$HAVEN_ROOT/$1/mark.log" \\
    sh -c 'cd "$1" && exec ${marker} "$2" "$3"' sh "$HAVEN_ROOT/$1" "${shared}/$1.marks" "$HA_PHYSICAL_HOST"
}
haven_for_each_mastered begin
`

const STOP = `#!/bin/sh
. haven-method.sh
end() {
  if [ -e "$HAVEN_ROOT/$1/mark.pid" ]; then haven_stop_daemon "$HAVEN_ROOT/$1/mark.pid" 1; fi
}
haven_for_each_not_mastered end
`
