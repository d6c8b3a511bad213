import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { cgroupMount } from './keeper.ts'
import { missing } from './missing.ts'
import { compilePrograms } from './programs.ts'
import { isKept } from './workshop.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Directory of this test run; empty where it cannot run. */
    workshop: string
  }
}

const top = resolve(import.meta.dirname, '../../..')
const prefix = 'haven-e2e-'

/** Builds Haven into a directory of this test run, so that nobody who builds meanwhile changes what is tested. */
export default function setup(project: TestProject): void {
  if (missing !== undefined) {
    console.log(`end to end: the tests on hosts made of namespaces are skipped: ${missing}`)
    project.provide('workshop', '')
    return
  }
  removeForsaken()
  const workshop = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  const installation = join(workshop, 'haven')
  for (const name of ['bin', 'dataservices', 'package.json']) {
    cpSync(join(top, name), join(installation, name), { recursive: true, dereference: true })
  }
  symlinkSync(join(top, 'node_modules'), join(installation, 'node_modules'))
  const build = [join(top, 'scripts/build.mjs'), join(installation, 'dist')]
  const { status, stderr } = spawnSync(process.execPath, build, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed:\n${stderr}`)
  compilePrograms(workshop)
  project.provide('workshop', workshop)
  // Not as what this function returns: that is not called when the run is broken off.
  process.once('exit', () => cleanUp(workshop))
}

/** The hosts have ended with the process that made them; what is left is in file systems. */
function cleanUp(workshop: string): void {
  removeForsakenCgroups()
  if (isKept) console.log(`end to end: what the hosts have written is kept in ${workshop}`)
  else rmSync(workshop, { recursive: true, force: true })
}

/** A test run that was killed could not remove its directory. */
function removeForsaken(): void {
  removeForsakenCgroups()
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

function removeForsakenCgroups(): void {
  const mount = cgroupMount()
  if (mount === undefined) return
  for (const name of readdirSync(mount)) {
    const pid = /^haven-lab-(\d+)-/.exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    spawnSync('find', [join(mount, name), '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+'])
  }
}
