import type { CommandResult, RunCommand } from '../run-command.ts'
import type { RunWithInput } from '../spare-program.ts'
import type { AddressFrames, Expectation } from './frames.ts'

/** An adapter that can send Ethernet frames. */
export interface EthernetAdapter {
  readonly index: number
  /** Its Ethernet address, six bytes. */
  readonly hardware: Buffer
}

/** How long is looked for somebody who has an address. */
export interface ProbeTimes {
  /** Probes that are sent; one alone may be lost. */
  readonly probes: number
  readonly betweenMs: number
  /** Time for an answer after the last one. */
  readonly waitMs: number
}

/** A host of the same link answers within a millisecond, a busy one within tens. RFC 5227 waits seconds, for links and clients that switchovers are not made for. */
export const PROBE_TIMES_DEFAULT: ProbeTimes = { probes: 2, betweenMs: 20, waitMs: 30 }

/** Asks for the address, and resolves with the first frame of somebody else who has it, or with undefined after the wait. */
export async function probeAddress(
  run: RunWithInput,
  asked: {
    readonly adapter: EthernetAdapter
    readonly frames: AddressFrames
    readonly times: ProbeTimes
    readonly signal: AbortSignal
  },
): Promise<Buffer | undefined> {
  const { adapter, frames, times, signal } = asked
  const { stdout } = await exchange(run, {
    adapter,
    type: frames.type,
    send: [frames.probe],
    expect: frames.conflicts,
    times,
    signal,
  })
  const hex = stdout.trim()
  return hex === '' ? undefined : Buffer.from(hex, 'hex')
}

/** Tells the link that the address is here. */
export async function announceAddress(
  run: RunWithInput,
  told: { readonly adapter: EthernetAdapter; readonly frames: AddressFrames; readonly signal: AbortSignal },
): Promise<void> {
  const { adapter, frames, signal } = told
  const times = { probes: 1, betweenMs: 0, waitMs: 0 }
  await exchange(run, { adapter, type: frames.type, send: frames.announcements, expect: [], times, signal })
}

/** Frames to send over an adapter, and what to wait for. */
export interface Exchange {
  readonly adapter: EthernetAdapter
  readonly type: number
  readonly send: readonly Buffer[]
  readonly expect: readonly (readonly Expectation[])[]
  readonly times: ProbeTimes
  readonly signal: AbortSignal
}

/** Sends the frames; prints the first frame from somebody else that meets one of the lists of expectations, or nothing after the wait. */
export function exchange(run: RunWithInput, made: Exchange): Promise<CommandResult> {
  const frames = made.send.map((frame) => frame.toString('hex')).join(',')
  const expectations = made.expect
    .map((list) => list.map(({ offset, bytes }) => `${offset}:${bytes.toString('hex')}`).join(','))
    .join(';')
  const { probes, betweenMs, waitMs } = made.times
  const words = [
    made.adapter.index,
    made.type,
    made.adapter.hardware.toString('hex'),
    frames,
    expectations,
    probes,
    betweenMs,
    waitMs,
  ]
  return run(`${words.join(' ')}\n`, made.signal)
}

/** Runs the program for raw frames for each exchange. */
export function runFrames(run: RunCommand): RunWithInput {
  return (input, signal) => run(FRAMES, { signal, input })
}

/**
 * Node.js has no sockets for raw frames, arping of Debian 12 waits a whole second at least and knows no IPv6, and the kernel announces an
 * address only when the adapter comes up. perl-base is essential in Debian, starts in 2 ms and opens such a socket without any module.
 *
 * Reads one line of words (see `exchange`). Sends the frames as many times as told; prints the first frame from somebody else that meets an expectation, and ends. A filter in the
 * kernel (BPF: per byte a load and a comparison that jumps behind its list) keeps all other traffic of the adapter away from here.
 * Closing such a socket waits for a grace period of the kernel's RCU, 10 ms and more; a child is left to do that, for which nobody waits.
 */
const PROGRAM = String.raw`
use strict;
defined(my $line = <STDIN>) or exit 0;
chomp $line;
my ($index, $type, $hardware, $frames, $expectations, $times, $between, $wait) = split / /, $line;
sub leave {
  exit 0 if fork;
  close STDOUT;
  close STDERR;
  exit 0;
}
socket(my $socket, 17, 3, 0) or die "raw socket: $!\n";                  # AF_PACKET, SOCK_RAW
my $filter = '';
for my $list (split /;/, $expectations) {
  my @bytes;
  for (split /,/, $list) {
    my ($offset, $hex) = split /:/;
    push @bytes, [$offset++, $_] for unpack 'C*', pack 'H*', $hex;
  }
  while (my $byte = shift @bytes) {
    $filter .= pack 'SCCL', 0x30, 0, 0, $byte->[0];                      # load the byte at this offset
    $filter .= pack 'SCCL', 0x15, 0, 2 * @bytes + 1, $byte->[1];         # other than expected: behind the list
  }
  $filter .= pack 'SCCL', 0x06, 0, 0, 0xffff;                            # accept
}
$filter .= pack 'SCCL', 0x06, 0, 0, 0;                                   # drop
setsockopt($socket, 1, 26, pack 'S x![P] P', length($filter) / 8, $filter) or die "filter: $!\n";
bind($socket, pack 'S n l x12', 17, $type, $index) or die "adapter: $!\n";
for my $time (1 .. $times) {
  defined send($socket, pack('H*', $_), 0) or die "send: $!\n" for split /,/, $frames;
  my $left = ($time < $times ? $between : $wait) / 1000;
  while ($left > 0) {
    my $ready = '';
    vec($ready, fileno $socket, 1) = 1;
    (my $count, $left) = select $ready, undef, undef, $left;
    last if $count <= 0;
    defined recv($socket, my $frame, 2048, 0) or die "receive: $!\n";
    next if substr($frame, 6, 6) eq pack 'H*', $hardware;                # our own, sent back by a switch
    print unpack('H*', $frame), "\n";
    leave;
  }
}
leave;
`

/** The program that `exchange` is run with. */
export const FRAMES = ['perl', '-e', PROGRAM] as const
