import type { Command, Form } from '../command/define-command.ts'
import { synopsisParts, writeValue } from '../command/option-name.ts'
import { wrapText } from '../print/table.ts'

/** Columns that help is written for when the terminal is wider: long lines are hard to read. */
const COLUMNS_MAX = 100
/** Columns in which the explanation of an option begins. */
const OPTION_COLUMN = 30

/** Options that every command has, as `run-command.ts` reads them. */
export const COMMON_OPTIONS: readonly OptionRow[] = [
  { names: '--help', describe: 'print this' },
  { names: '--version', describe: 'print the version; so does -V alone' },
]

/** An option as it is listed. */
export interface OptionRow {
  /** `-h, --host HOST`. */
  readonly names: string
  readonly describe: string
}

/** Writes the help of a command: its forms, its options, examples. */
export function helpLines(command: Command, columns: number): readonly string[] {
  const width = Math.min(columns, COLUMNS_MAX)
  return [
    `${command.name}: ${command.summary}`,
    '',
    'Forms:',
    ...command.forms.flatMap((form) => [
      ...synopsisLines(command, form, width),
      ...wrapText(form.summary, width - 8).map((line) => `        ${line}`),
    ]),
    '',
    'Options:',
    ...[...optionRows(command), ...COMMON_OPTIONS].flatMap((row) => optionLines(row, width)),
    '',
    ...command.description.flatMap((paragraph) => [...wrapText(paragraph, width), '']),
    'Examples:',
    ...command.examples.flatMap(({ line, describe }) => [
      `    ${line}`,
      ...wrapText(describe, width - 8).map((text) => `        ${text}`),
    ]),
  ]
}

/** Lists the options of a command. */
export function optionRows(command: Command): readonly OptionRow[] {
  return Object.values(command.options).map((option) => {
    const names = [
      ...(option.letter === undefined ? [] : [`-${option.letter}`]),
      ...(option.long === undefined ? [] : [`--${option.long}`]),
    ]
    return { names: `${names.join(', ')} ${writeValue(option)}`.trimEnd(), describe: option.describe }
  })
}

function synopsisLines(command: Command, form: Form, width: number): readonly string[] {
  const [first = '', ...rest] = wrapParts(synopsisParts(command, form), width - command.name.length - 5)
  const indent = ' '.repeat(command.name.length + 5)
  return [`    ${command.name} ${first}`.trimEnd(), ...rest.map((line) => `${indent}${line}`)]
}

/** Breaks between parts only: an option stays with its value. */
function wrapParts(parts: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + part.length > width) lines.push(part)
    else lines[lines.length - 1] = `${last} ${part}`
  }
  return lines
}

function optionLines({ names, describe }: OptionRow, width: number): readonly string[] {
  const lines = wrapText(describe, width - OPTION_COLUMN)
  const indent = ' '.repeat(OPTION_COLUMN)
  const [first = '', ...rest] = lines
  const isShort = names.length + 6 <= OPTION_COLUMN
  const head = isShort ? [`    ${names}`.padEnd(OPTION_COLUMN) + first] : [`    ${names}`, `${indent}${first}`]
  return [...head, ...rest.map((line) => `${indent}${line}`)]
}
