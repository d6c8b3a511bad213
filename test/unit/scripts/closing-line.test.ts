import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { conclude, countTests } from '../../../scripts/parts.mjs'
import { readPackages } from '../../../scripts/provide-packages.mjs'

const test = (status: string, fullName = 'a test') => ({ status, fullName })
const file = (status: string, ...assertionResults: ReturnType<typeof test>[]) => ({ status, assertionResults })

describe('countTests', () => {
  it('counts what passed, failed and was skipped, over all files', () => {
    const report = {
      testResults: [
        file('passed', test('passed'), test('skipped', 'e2e needs root')),
        file('failed', test('failed'), test('passed'), test('pending', 'a pending one'), test('todo', 'a later one')),
      ],
    }
    expect(countTests(report)).toEqual({
      passed: 2,
      failed: 1,
      skipped: 3,
      skips: ['e2e needs root', 'a pending one', 'a later one'],
    })
  })

  it('counts a file that could not be loaded as one failure', () => {
    expect(countTests({ testResults: [file('failed')] })).toEqual({ passed: 0, failed: 1, skipped: 0, skips: [] })
  })

  it('counts nothing where no report was written', () => {
    expect(countTests({})).toEqual({ passed: 0, failed: 0, skipped: 0, skips: [] })
  })
})

describe('conclude', () => {
  const part = { name: 'tests', passed: 3, failed: 0, skipped: 0, skips: [] as string[], seconds: 1 }
  const lines: string[] = []

  beforeEach(() => {
    lines.length = 0
    vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(...text.split('\n')))
    vi.stubEnv('CI', '')
    process.exitCode = 0
  })

  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    process.exitCode = undefined
  })

  it('ends with one plain line, the sum of all parts', () => {
    conclude([part, { ...part, passed: 4 }])
    expect(lines.at(-1)).toBe('7 passed, 0 failed, 0 skipped')
    expect(lines.filter((line) => /^\d+ passed/.test(line))).toHaveLength(1)
    expect(process.exitCode).toBe(0)
  })

  it('fails when a part failed', () => {
    conclude([part, { ...part, failed: 2 }])
    expect(lines.at(-1)).toBe('6 passed, 2 failed, 0 skipped')
    expect(process.exitCode).toBe(1)
  })

  it('names what was skipped, and lets it pass on a machine of a person', () => {
    conclude([{ ...part, skipped: 1, skips: ['moves a real address'] }])
    expect(lines).toContain('  moves a real address')
    expect(lines.at(-1)).toBe('3 passed, 0 failed, 1 skipped')
    expect(process.exitCode).toBe(0)
  })

  it('fails on a skipped test in CI', () => {
    vi.stubEnv('CI', 'true')
    conclude([{ ...part, skipped: 1, skips: ['moves a real address'] }])
    expect(lines.at(-1)).toBe('3 passed, 0 failed, 1 skipped')
    expect(process.exitCode).toBe(1)
  })
})

describe('readPackages', () => {
  it('takes one package per line and leaves out comments and empty lines', () => {
    expect(readPackages('# why\n\ne2fsprogs   # ext4\nmount\n')).toEqual(['e2fsprogs', 'mount'])
  })
})
