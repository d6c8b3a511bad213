import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allowlist, isExcused, staleExcuses } from './tidy/allowlist.ts'
import { checkFile, checkTree, listFiles } from './tidy/check-tree.ts'
import { type Finding, printFinding } from './tidy/finding.ts'
import { samples } from './tidy/samples-table.ts'

const top = resolve(import.meta.dirname, '..')

describe('the tree is tidy', () => {
  const findings = checkTree(top)

  it('looks at the sources at all', () => {
    expect(listFiles(top)).toContain('test/tidy.test.ts')
  })

  it('breaks no rule', () => {
    const unexcused = findings.filter((finding) => !isExcused(finding, allowlist))
    expect.soft(unexcused.length, `${unexcused.length} findings`).toBe(0)
    expect(unexcused.map(printFinding).join('\n')).toBe('')
  })

  it('has no excuse that excuses nothing: take it from test/tidy/allowlist.ts', () => {
    expect(staleExcuses(findings, allowlist)).toEqual([])
  })

  it('numbers every decision note once', () => {
    const numbers = listFiles(top).flatMap((file) => /^docs\/decisions\/(\d{4})-/.exec(file)?.[1] ?? [])
    expect(numbers.filter((number, index) => numbers.indexOf(number) !== index)).toEqual([])
  })

  it('lists every decision note in docs/decisions/README.md', () => {
    const notes = listFiles(top).flatMap((file) => /^docs\/decisions\/(\d{4}-.*)$/.exec(file)?.[1] ?? [])
    const list = readFileSync(join(top, 'docs/decisions/README.md'), 'utf8')
    expect(notes.filter((note) => !list.includes(`](${note})`))).toEqual([])
  })
})

describe('the lock file', () => {
  const lock = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8')) as Lock
  const installed = Object.entries(lock.packages).filter(([place]) => place !== '')

  it('takes every package from the public registry', () => {
    const elsewhere = installed.filter(([, { resolved }]) => !resolved?.startsWith('https://registry.npmjs.org/'))
    expect(elsewhere.map(([place, { resolved }]) => `${place}: ${resolved}`)).toEqual([])
  })

  it('knows every optional package: `npm ci` refuses it otherwise, and an incomplete mirror leaves them out unnoticed', () => {
    const wanted = installed.flatMap(([, { optionalDependencies }]) => Object.keys(optionalDependencies ?? {}))
    const known = new Set(installed.map(([place]) => place.replace(/^.*node_modules\//, '')))
    expect(wanted.filter((name) => !known.has(name))).toEqual([])
  })
})

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >
}

describe('the rules themselves', () => {
  it.each(samples)('$shows in $file', ({ file, text, findings }) => {
    const printed = checkFile(file, text).map(printFinding)
    // Compared by their beginnings: the rest of each line is advice, and may change its wording.
    expect(printed.map((line, index) => line.slice(0, findings[index]?.length))).toEqual(findings)
  })

  it('excuse one file from one rule, no other file and no other rule', () => {
    const excuse = { file: 'src/a.ts', rule: 'banned-call', reason: 'it is the sample' } as const
    const finding: Finding = { rule: 'banned-call', file: 'src/a.ts', line: 1, what: 'a call', instead: 'another' }
    expect(isExcused(finding, [excuse])).toBe(true)
    expect(isExcused({ ...finding, file: 'src/b.ts' }, [excuse])).toBe(false)
    expect(isExcused({ ...finding, rule: 'purity' }, [excuse])).toBe(false)
    expect(staleExcuses([finding], [excuse])).toEqual([])
    expect(staleExcuses([], [excuse])).toEqual([excuse])
  })
})
