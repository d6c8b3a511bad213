import type { Finding } from './finding.ts'

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/
const sourceFile = /\.(ts|mts|mjs|js|cjs)$/
const meaningless = /(^|-)(utils?|helpers?|misc)(-|$)|^common$/

/** Finds names that break the rules: source files and their folders, and decision notes. */
export function checkName(file: string): readonly Finding[] {
  if (file.startsWith('docs/decisions/')) return checkDecisionName(file)
  if (!sourceFile.test(file)) return []
  const stem = file.replace(sourceFile, '')
  // `choose-master.test` is a name with a kind; each of its parts is kebab-case.
  const parts = stem.split(/[/.]/).filter((part) => part !== '')
  return parts.flatMap((part) => checkPart(file, part))
}

function checkPart(file: string, part: string): readonly Finding[] {
  const at = { rule: 'file-name', file, line: 1 } as const
  if (meaningless.test(part)) {
    return [{ ...at, what: `"${part}" says nothing about its job`, instead: 'the job as the name: choose-master.ts' }]
  }
  if (kebabCase.test(part)) return []
  return [{ ...at, what: `"${part}" is not kebab-case`, instead: 'small letters and digits, words joined by "-"' }]
}

function checkDecisionName(file: string): readonly Finding[] {
  const name = file.slice('docs/decisions/'.length)
  if (name === 'README.md') return []
  if (/^\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md$/.test(name)) return []
  const instead = 'four digits and what was decided: 0007-record-locks.md'
  return [{ rule: 'decision-name', file, line: 1, what: `"${name}" is not the name of a decision note`, instead }]
}
