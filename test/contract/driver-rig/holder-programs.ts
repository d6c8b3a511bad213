import { addressBytes } from '../../../src/framework/drivers/address/frames.ts'

/**
 * Programs that hold a directory in one way each. Perl is in every Debian, starts at once and can map a file without a library (syscall 9
 * of x86-64 is mmap; elsewhere the others still stand for it).
 */
const prelude = '$| = 1; my $d = shift; chdir "/";'
const waits = 'print "ready\\n"; sleep 1 while 1;'

export type HolderKind = keyof typeof PROGRAMS

const PROGRAMS = {
  'an open file': `${prelude} open(my $f, ">", "$d/held") or die $!; ${waits}`,
  'its working directory': `${prelude} chdir $d or die $!; ${waits}`,
  'a mapped file': `${prelude} open(my $f, "+>", "$d/mapped") or die $!; truncate $f, 4096; my $p = syscall(9, 0, 4096, 3, 1, fileno $f, 0); die $! if $p < 0; close $f; ${waits}`,
  'an open file, and ignores TERM': `${prelude} $SIG{TERM} = "IGNORE"; open(my $f, ">", "$d/stubborn") or die $!; ${waits}`,
  'an open file, and is stopped': `${prelude} open(my $f, ">", "$d/stopped") or die $!; print "ready\\n"; kill "STOP", $$; sleep 1 while 1;`,
} as const

export const HOLDER_KINDS = Object.keys(PROGRAMS) as readonly HolderKind[]

/** Returns the words of a program that holds the directory until it is killed, and prints a line when it does. */
export function holderProgram(kind: HolderKind, directory: string): readonly string[] {
  return ['perl', '-e', PROGRAMS[kind], directory]
}

/** Returns the words of a program that listens on port 8080 of an address until it is killed, and prints a line when it does. */
export function listenerProgram(address: string): readonly string[] {
  const [family, place] = address.includes(':')
    ? ['10', `pack("S n N a16 N", 10, 8080, 0, $bytes, 0)`]
    : ['2', `pack("S n a4 x8", 2, 8080, $bytes)`]
  const bytes = addressBytes(address)?.toString('hex') ?? ''
  const program = `$| = 1; my $bytes = pack "H*", shift; socket(my $s, ${family}, 1, 0) or die $!; bind($s, ${place}) or die $!; listen($s, 5) or die $!; ${waits}`
  return ['perl', '-e', program, bytes]
}
