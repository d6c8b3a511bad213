import { parseArgs } from 'node:util'
import { HaError } from '../../framework/errors/ha-error.ts'
import type { Command, OptionSpec, OptionValue } from './define-command.ts'
import { nameOption } from './option-name.ts'
import { parseOption } from './parse-option.ts'
import { didYouMean } from './suggest.ts'

/** What stands on a command line, before it is known which form is meant. */
export interface ParsedWords {
  /** The options that were given, by the names that the code uses. */
  readonly options: ReadonlyMap<string, OptionValue>
  readonly words: readonly string[]
}

/**
 * Reads a command line as getopt does (`-r web`, `-rweb`, `-ab`, `--plan`, `--`). Node's own parser does it: yargs needs 33 ms more to start, more than
 * half of what an empty Node.js needs, and what else it gives comes from our definitions here. Throws `USAGE`.
 */
export function parseWords(command: Command, argv: readonly string[]): ParsedWords {
  const named = Object.entries(command.options).map(([name, option]) => ({ name, option, key: option.long ?? name }))
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(named.map(({ key, option }) => [key, toNodeOption(option)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given = new Map<string, string[]>()
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const found = named.find(({ key, option }) => key === token.name && isWrittenSo(option, token.rawName))
    if (found === undefined) throw unknownOption(command, token.rawName)
    const value = checkValue(command, found.option, token)
    given.set(found.name, [...(given.get(found.name) ?? []), value])
  }
  const options = [...given].map(([name, values]): [string, OptionValue] => [
    name,
    parseOption(command, command.options[name] as OptionSpec, values),
  ])
  return { options: new Map(options), words }
}

interface OptionToken {
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function toNodeOption(option: OptionSpec): { type: 'boolean' | 'string'; short?: string } {
  const type = option.kind === 'flag' ? 'boolean' : 'string'
  return option.letter === undefined ? { type } : { type, short: option.letter }
}

// Node's parser wants a long name for every option; those that we did not give one have none.
function isWrittenSo(option: OptionSpec, rawName: string): boolean {
  return !rawName.startsWith('--') || rawName === `--${option.long ?? ''}`
}

function unknownOption(command: Command, rawName: string): HaError {
  const known = Object.values(command.options).flatMap(({ long }) => (long === undefined ? [] : [`--${long}`]))
  const guess = rawName.startsWith('--') ? didYouMean(rawName, [...known, '--help', '--version']) : ''
  return usageError(command, `there is no option ${rawName}${guess}`)
}

function checkValue(command: Command, option: OptionSpec, token: OptionToken): string {
  const name = nameOption(option)
  if (option.kind === 'flag') {
    if (token.value !== undefined) throw usageError(command, `${name} takes no value`)
    return ''
  }
  if (token.value === undefined && option.valueOptional === true) return ''
  // A value that looks like an option is one, and the value was forgotten; `-h=-x` says that it is meant.
  const isForgotten = token.value === undefined || (token.inlineValue !== true && /^-./.test(token.value))
  if (isForgotten) throw usageError(command, `${name} needs a value: ${option.value ?? 'VALUE'}`)
  return token.value
}

/** Makes the error of a command line that does not fit. */
export function usageError(command: Command, message: string, details: readonly string[] = []): HaError {
  return new HaError('USAGE', message, { hint: `'${command.name} --help' shows all forms.`, details })
}
