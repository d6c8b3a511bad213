import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PATH } from './run-program.ts'

const sources = join(import.meta.dirname, 'programs')

/** Programs of the lab that are written in C: they must be quick, small, or in between a program and libc. */
export type LabProgram = 'answer' | 'ask-arp' | 'marker' | 'poll-answers'

const PROGRAMS: readonly LabProgram[] = ['answer', 'ask-arp', 'marker', 'poll-answers']

/** Compiles them into the directory of a test run. */
export function compilePrograms(workshop: string): void {
  mkdirSync(join(workshop, 'programs'), { recursive: true })
  const compile = (...words: readonly string[]): void => {
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', ...words], {
      env: { ...process.env, PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  }
  for (const name of PROGRAMS) compile('-o', programIn(workshop, name), join(sources, `${name}.c`))
  compile('-shared', '-fPIC', '-o', clockLibraryIn(workshop), join(sources, 'clock-shift.c'), '-ldl')
}

/** The path of one of them. */
export function programIn(workshop: string, name: LabProgram): string {
  return join(workshop, 'programs', name)
}

/** The library that shifts wall clocks. */
export function clockLibraryIn(workshop: string): string {
  return join(workshop, 'programs', 'clock-shift.so')
}
