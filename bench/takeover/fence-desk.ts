import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { Lab } from '../../test/e2e/lab/lab.ts'

/** What stands for the management controllers of the hosts: takes the power away on request, through a socket that the hosts see, and says when it is gone. */
export class FenceDesk {
  readonly #lab: Lab
  readonly #server: Server
  readonly #program: string
  readonly #going = new Map<string, Promise<void>>()

  private constructor(lab: Lab) {
    this.#lab = lab
    this.#program = join(lab.shared, 'fence')
    this.#server = createServer((socket) => {
      socket.on('error', () => undefined) // Who asked has gone.
      socket.once('data', (line: Buffer) => {
        const [action = '', host = ''] = line.toString('utf8').trim().split(' ')
        this.#carryOut(action, host).then(
          (answer) => socket.end(`${answer}\n`),
          () => socket.destroy(),
        )
      })
    })
  }

  static async open(lab: Lab): Promise<FenceDesk> {
    const desk = new FenceDesk(lab)
    const socket = join(lab.shared, 'fence.socket')
    await new Promise<void>((resolve) => desk.#server.listen(socket, resolve))
    writeFileSync(desk.#program, program(socket), { mode: 0o755 })
    return desk
  }

  /** What of the cluster file is below `cluster`. */
  get clusterPart(): object {
    return { fencing: { shareMax: 1, windowMs: 60_000, delayMs: 0, statusEveryMs: 0 } }
  }

  /** What else of the cluster file makes the hosts fence each other by it. */
  parts(hosts: readonly string[]): object {
    return {
      fenceDevices: { bmc: { agent: 'command', program: this.#program, hosts } },
      physicalHosts: Object.fromEntries(hosts.map((host) => [host, { fenceLevels: [['bmc']] }])),
    }
  }

  async #carryOut(action: string, name: string): Promise<string> {
    if (action === 'monitor') return 'done'
    const host = this.#lab.host(name)
    if (action === 'off') {
      const gone = this.#going.get(name) ?? host.powerOff().finally(() => this.#going.delete(name))
      this.#going.set(name, gone)
      await gone
    }
    return host.isOn ? 'on' : 'off'
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

const program = (socket: string): string => `#!/usr/bin/perl
use Socket;
my $desk;
socket($desk, PF_UNIX, SOCK_STREAM, 0) && connect($desk, sockaddr_un("${socket}")) or exit 1;
syswrite $desk, "@ARGV\\n";
my $answer = <$desk>;
print $answer;
exit 2 if $ARGV[0] eq 'status' && $answer eq "off\\n";
exit($ARGV[0] eq 'off' && $answer ne "off\\n");
`
