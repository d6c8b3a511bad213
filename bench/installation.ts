import { spawnSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'

const top = resolve(import.meta.dirname, '..')

/** A built Haven. */
export interface Installation {
  /** Directory with `bin/` and `dist/`. */
  readonly directory: string
  /** Path of a program of `bin/`. */
  program(name: string): string
}

/** Builds Haven into a directory of its own, so that nobody who builds meanwhile changes what is measured. */
export function buildInstallation(directory: string): Installation {
  for (const name of ['bin', 'package.json']) {
    cpSync(join(top, name), join(directory, name), { recursive: true, dereference: true })
  }
  symlinkSync(join(top, 'node_modules'), join(directory, 'node_modules'))
  const build = [join(top, 'scripts/build.mjs'), join(directory, 'dist')]
  const { status, stderr } = spawnSync(process.execPath, build, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed:\n${stderr}`)
  return { directory, program: (name) => join(directory, 'bin', name) }
}
