import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../../eventually.ts'
import { command, missingFor, type NamespaceHost } from './namespace-host.ts'

/** A process that hangs in the kernel, with its memory locked: to read its environment or its memory maps waits for the disk that it waits for. */
export interface HungProcess {
  readonly process: ChildProcess
  /** Lets the disk answer again. */
  thaw(): void
}

/** Why this machine cannot run tests with it; undefined = it can. */
export async function missingForHung(): Promise<string | undefined> {
  const missing = await missingFor(['gcc', 'perl', 'grep'])
  if (missing !== undefined) return missing
  return existsSync('/usr/include/fuse3/fuse.h') ? undefined : 'no fuse3/fuse.h'
}

/**
 * Writes to a map of the file in memory, and on a signal maps it past the cache. 9 is mmap and 0 read in x86-64. What it holds beside that is up to the test:
 * `where` is its working directory.
 */
const PROGRAM = `
$| = 1;
my ($file, $where) = @ARGV;
open(my $cached, "+<", $file) or die;
open(my $direct, "<", $file) or die;
open(my $zero, "<", "/dev/zero") or die;
my $map = syscall(9, 0, 4096, 3, 1, fileno $cached, 0);
syscall(0, fileno $zero, $map, 4096) == 4096 or die;
chdir $where or die;
$SIG{USR1} = sub { $go = 1 };
print "ready\\n";
select(undef, undef, undef, 0.01) until $go;
syscall(9, 0, 4096, 1, 2, fileno $direct, 0);
sleep 1 while 1;`

/** What one is made with: `directory` is for its file. */
interface Made {
  readonly directory: string
  readonly where: string
  readonly environment?: Readonly<Record<string, string>>
  /** Awaited while it still runs. */
  readonly beforeItHangs?: (pid: number) => Promise<unknown>
}

/** Makes one on a host. Resolves when it hangs. */
export async function startHung(host: NamespaceHost, made: Made): Promise<HungProcess> {
  const [program, place] = [join(made.directory, 'hanging-file'), join(made.directory, 'hanging')]
  await mkdir(place, { recursive: true })
  const source = join(import.meta.dirname, 'hung', 'hanging-file.c')
  await command('gcc', '-O1', '-D_FILE_OFFSET_BITS=64', '-I/usr/include/fuse3', '-o', program, source, '-lfuse3')
  const server = await host.launch([program, place], {})
  const hung = await host.launch(['perl', '-e', PROGRAM, join(place, 'file'), made.where], made.environment ?? {})
  await made.beforeItHangs?.(hung.pid ?? 0)
  server.kill('SIGSTOP')
  hung.kill('SIGUSR1')
  await eventually('the process to hang', 10_000, async (saw) => {
    const stack = await command('cat', `/proc/${hung.pid}/stack`)
    saw(stack)
    return /mmap/.test(stack) && /fuse/.test(stack) ? true : undefined
  })
  return { process: hung, thaw: () => void server.kill('SIGCONT') }
}
