/** Names every rule of the tidy test; an entry of the allowlist excuses one file from one rule. */
export type Rule =
  | 'file-length'
  | 'function-length'
  | 'file-name'
  | 'banned-call'
  | 'left-over'
  | 'word'
  | 'purity'
  | 'docstring'
  | 'decision-name'

/** Tells one place that breaks a rule, and what to write there instead. */
export interface Finding {
  readonly rule: Rule
  /** Relative to the top of the repository, with `/`. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly what: string
  readonly instead: string
}

/** Prints a finding as one line that editors can jump to. */
export function printFinding(finding: Finding): string {
  return `${finding.file}:${finding.line}: ${finding.what} [${finding.rule}]. Instead: ${finding.instead}.`
}
