import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { Lab } from './lab.ts'

/** What stands for the management controllers of the hosts: a program on every host that asks the desk, which takes the power of lab hosts away. */
export class PowerDesk {
  readonly #lab: Lab
  readonly #server: Server
  readonly #going = new Map<string, Promise<void>>()
  /** Absolute path of the program; it keeps the contract of the agent `command`. */
  readonly program: string
  /** Whether it does what it is asked; a broken one only complains. */
  isBroken = false

  private constructor(lab: Lab) {
    this.#lab = lab
    this.program = join(lab.shared, 'power')
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

  static async open(lab: Lab): Promise<PowerDesk> {
    const desk = new PowerDesk(lab)
    const socket = join(lab.shared, 'power.socket')
    await new Promise<void>((resolve) => desk.#server.listen(socket, resolve))
    writeFileSync(desk.program, programFor(socket), { mode: 0o755 })
    return desk
  }

  /** Answers with the exit code and what the program prints. */
  async #carryOut(action: string, name: string): Promise<string> {
    if (this.isBroken) return '1 the controller does not answer'
    if (action === 'monitor') return '0 well'
    const host = this.#lab.host(name)
    if (action === 'off') {
      const gone = this.#going.get(name) ?? host.powerOff().finally(() => this.#going.delete(name))
      this.#going.set(name, gone)
      await gone
      return '0 off'
    }
    if (action === 'status') return host.isOn ? '0 on' : '2 off'
    return '64 no such action'
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

const programFor = (socket: string): string => `#!/usr/bin/perl
use Socket;
my $desk;
socket($desk, PF_UNIX, SOCK_STREAM, 0) && connect($desk, sockaddr_un("${socket}")) or exit 1;
syswrite $desk, "@ARGV\\n";
my ($code, $text) = <$desk> =~ /^(\\d+) (.*)/ or exit 1;
print STDERR "$text\\n" if $code;
exit $code;
`
