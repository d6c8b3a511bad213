import type { Command, Form } from '../command/define-command.ts'
import { synopsisParts } from '../command/option-name.ts'
import { COMMON_OPTIONS, optionRows } from './help-text.ts'

/** Exit codes of all commands; what each error code means is in docs/errors.md. */
const EXIT_CODES: readonly (readonly [string, string])[] = [
  ['0', 'done, or there was nothing to do'],
  ['1', 'failed'],
  ['2', 'wrong usage or bad input'],
  ['3', 'no clustd runs on this host, or the host is not set up'],
  ['4', 'busy, or lost a race: try again'],
  ['5', 'a method or a step failed'],
  ['6', 'refused by a rule that protects data or services'],
  ['7', 'not found'],
  ['8', 'the cluster database cannot be used'],
  ['9', 'timed out; it may still go on'],
  ['130', 'Ctrl-C ended the watching; what was begun goes on'],
]

/** Writes the man page of a command, section 8, as roff. `others` are the commands that it points to. */
export function manPage(
  command: Command,
  { version, others }: { readonly version: string; readonly others: readonly string[] },
): string {
  const { name, summary, description, forms, examples } = command
  const lines = [
    '.\\" Made by `npm run docs` from the definition of the command. Do not edit.',
    `.TH ${name.toUpperCase()} 8 "" "Haven ${version}" "Haven"`,
    '.SH NAME',
    `${name} \\- ${roff(summary)}`,
    '.SH SYNOPSIS',
    '.ad l',
    '.nh',
    forms.map((form) => synopsis(command, form)).join('\n.br\n'),
    '.ad b',
    '.hy',
    '.SH DESCRIPTION',
    ...description.flatMap((paragraph) => ['.PP', roff(paragraph)]),
    '.SH FORMS',
    ...forms.flatMap((form) => ['.TP', synopsis(command, form), roff(`${capital(form.summary)}.`), ...wordLines(form)]),
    '.SH OPTIONS',
    ...[...optionRows(command), ...COMMON_OPTIONS].flatMap(({ names, describe }) => [
      '.TP',
      `\\fB${roff(names)}\\fR`,
      roff(`${capital(describe)}.`),
    ]),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([code, meaning]) => ['.TP', `\\fB${code}\\fR`, roff(`${capital(meaning)}.`)]),
    '.SH ENVIRONMENT',
    '.TP',
    '\\fBHAVEN_ROOT\\fR',
    'The directory below which all files of this host are; / by default.',
    '.SH EXAMPLES',
    ...examples.flatMap(({ line, describe }) => [
      '.PP',
      roff(describe),
      '.PP',
      '.RS 4',
      '.nf',
      roff(line),
      '.fi',
      '.RE',
    ]),
    '.SH SEE ALSO',
    others.map((other) => `.BR ${other} (8)`).join(',\n'),
  ]
  return `${lines.join('\n')}\n`
}

function synopsis(command: Command, form: Form): string {
  return `\\fB${command.name}\\fR ${roff(synopsisParts(command, form).join(' '))}`.trimEnd()
}

function wordLines({ words }: Form): readonly string[] {
  return words.map(({ value, describe }) => `\\fI${roff(value)}\\fR is ${roff(describe)}.`)
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

/** Writes text so that roff reads it as it is: no backslash, no hyphen that becomes a dash, no line that begins with a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
