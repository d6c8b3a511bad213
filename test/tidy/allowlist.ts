import type { Finding, Rule } from './finding.ts'

/** Excuses one file from one rule, for a reason that a reader accepts. */
export interface Excuse {
  readonly file: string
  readonly rule: Rule
  readonly reason: string
}

/** An entry whose file breaks the rule no longer fails the tidy test: excuses do not outlive what they excused. */
export const allowlist: readonly Excuse[] = [
  {
    file: 'test/eventually.ts',
    rule: 'banned-call',
    reason: 'it is the one place where a test waits, bounded by a deadline',
  },
  {
    file: 'src/cli/real-world.ts',
    rule: 'banned-call',
    reason: 'it is the one place where a command reads a clock, to show how long a step has been running',
  },
]

/** Tells whether an entry of the list excuses the finding. */
export function isExcused(finding: Finding, excuses: readonly Excuse[]): boolean {
  return excuses.some((excuse) => excuse.file === finding.file && excuse.rule === finding.rule)
}

/** Returns the entries of the list that excuse none of the findings. */
export function staleExcuses(findings: readonly Finding[], excuses: readonly Excuse[]): readonly Excuse[] {
  return excuses.filter((excuse) => !findings.some((finding) => isExcused(finding, [excuse])))
}
