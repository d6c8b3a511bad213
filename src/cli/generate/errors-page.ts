import { ERROR_CODES, type ErrorCodeFacts } from '../../framework/errors/codes.ts'

/** Writes docs/errors.md: every error code with its exit code. */
export function errorsPage(): string {
  const rows = Object.entries<ErrorCodeFacts>(ERROR_CODES).map(
    ([code, { exitCode, retryable, meaning }]) =>
      `| \`${code}\` | ${exitCode} | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
  )
  return `${[
    '<!-- Made by `npm run docs` from src/framework/errors/codes.ts. Do not edit. -->',
    '',
    '# Errors',
    '',
    'A command that fails says on stderr what failed, with the code in brackets, then what to do; with `--json` it prints the same as one JSON value on',
    'stderr, and nothing on stdout. The exit code tells the kind of failure: 0 success, 1 failed, 2 wrong usage or bad input, 3 no clustd on this host, 4 busy or',
    'lost a race (try again), 5 a method or step failed, 6 refused by a rule that protects data or services, 7 not found, 8 the cluster database cannot be',
    'used, 9 timed out. A command whose watching was ended by Ctrl-C exits with 130; what it began goes on.',
    '',
    '*Again*: whether the same call may succeed later without anybody changing anything. Codes are never reused.',
    '',
    '| code | exit | again | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')}\n`
}
