import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FenceDevice } from '../../../src/framework/model/fencing.ts'
import { parseName } from '../../../src/framework/model/names.ts'

/** How the outlet of a host behaves. */
export type Conduct =
  | 'well'
  /** `off` ends with an error and switches nothing. */
  | 'refuses'
  /** `off` says that all is well and switches nothing. */
  | 'lies'
  /** `off` never ends, and what it started does not either. */
  | 'hangs'
  /** It switches, and cannot say whether the outlet has power. */
  | 'mute'
  /** `on` ends with an error. */
  | 'stays-off'

/** Outlets of a directory, and programs that switch them: what hangs on an outlet is on as long as its file says so. */
export class Outlets {
  readonly directory = mkdtempSync(join(tmpdir(), 'haven-outlets-'))

  constructor() {
    for (const [name, text] of Object.entries(PROGRAMS)) {
      writeFileSync(join(this.directory, name), text)
      chmodSync(join(this.directory, name), 0o755)
    }
  }

  /** Plugs a host in; it is on. */
  plug(outlet: string, conduct: Conduct = 'well'): void {
    writeFileSync(join(this.directory, `${outlet}.conduct`), conduct)
    writeFileSync(join(this.directory, `${outlet}.power`), 'on')
  }

  power(outlet: string): string {
    return readFileSync(join(this.directory, `${outlet}.power`), 'utf8').trim()
  }

  /** What the programs were asked, in order: `ACTION OUTLET`. */
  asked(): readonly string[] {
    const file = join(this.directory, 'asked')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }

  note(line: string): void {
    appendFileSync(join(this.directory, 'asked'), `${line}\n`)
  }

  /** A device that switches the outlet `outlet` for the host `h2`. */
  device(agent: FenceDevice['agent'], outlet: string, change: Partial<FenceDevice> = {}): FenceDevice {
    return {
      name: parseName('fenceDevice', `pdu-${outlet}`),
      agent,
      program: join(this.directory, agent),
      options: { directory: this.directory },
      plugs: { h2: outlet },
      hosts: [parseName('physicalHost', 'h2')],
      action: 'off',
      timeoutMs: 5_000,
      ...change,
    }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

const SWITCH = `
echo "$action $outlet" >>"$directory/asked"
conduct=$(cat "$directory/$outlet.conduct")
power=$(cat "$directory/$outlet.power")
case $action,$conduct in
  monitor,refuses) echo 'the login is wrong' >&2; exit 1 ;;
  monitor,*) exit 0 ;;
  status,mute) exit 3 ;;
  status,*) echo "Status: $power"; if [ "$power" = on ]; then exit 0; fi; exit 2 ;;
  off,refuses) echo 'the outlet is locked' >&2; exit 1 ;;
  off,lies) exit 0 ;;
  off,hangs) echo 'waiting for the outlet' >&2; sleep 1000 & wait ;;
  on,stays-off) echo 'the fuse has blown' >&2; exit 1 ;;
  on,*|off,*) echo "$action" >"$directory/$outlet.power"; exit 0 ;;
esac
exit 64
`

const PROGRAMS: Readonly<Record<FenceDevice['agent'], string>> = {
  command: `#!/bin/sh
action=$1 outlet=$HAVEN_FENCE_PLUG directory=$HAVEN_FENCE_DIRECTORY
if [ "$HAVEN_FENCE_HOST" != "\${2-}" ]; then exit 65; fi
${SWITCH}`,
  'fence-agent': `#!/bin/sh
while IFS='=' read -r name value; do
  case $name in
    action) action=$value ;;
    plug) outlet=$value ;;
    directory) directory=$value ;;
    nodename) ;;
    *) echo "ignoring unknown option '$name'" >&2 ;;
  esac
done
if [ "$action" = metadata ]; then cat <<XML
<?xml version="1.0" ?>
<resource-agent name="fence_outlets" shortdesc="Outlets of a directory" >
<parameters>
	<parameter name="action" unique="0" required="1"><content type="string" default="reboot" /></parameter>
	<parameter name="directory" unique="0" required="1" obsoletes="dir"></parameter>
	<parameter name="dir" unique="0" required="1" deprecated="1"></parameter>
	<parameter name="plug" unique="0" required="1" obsoletes="port"></parameter>
	<parameter name="port" unique="0" required="1" deprecated="1"></parameter>
	<parameter name="verbose" unique="0" required="0"></parameter>
</parameters>
<actions>
	<action name="on" automatic="0"/>
	<action name="off" />
	<action name="status" />
	<action name="monitor" />
	<action name="metadata" />
</actions>
</resource-agent>
XML
exit 0; fi
${SWITCH}`,
}
