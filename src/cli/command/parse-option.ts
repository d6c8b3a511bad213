import { assertNever } from '../../framework/errors/assert-never.ts'
import { HaError } from '../../framework/errors/ha-error.ts'
import type { Command, OptionSpec, OptionValue } from './define-command.ts'
import { nameOption } from './option-name.ts'
import { didYouMean } from './suggest.ts'

/** Turns what was given for one option, once for each time, into its value. Throws `USAGE`. */
export function parseOption(command: Command, option: OptionSpec, given: readonly string[]): OptionValue {
  const isOnce = option.kind === 'text' || option.kind === 'count'
  if (isOnce && given.length > 1) throw wrong(command, option, 'is given more than once')
  const [first = ''] = given
  switch (option.kind) {
    case 'flag':
      return true
    case 'text':
      return checkChoice(command, option, first)
    case 'texts':
      return given
    case 'list':
      return given.flatMap(splitList)
    case 'lists':
      return given.map(splitList)
    case 'pairs':
      return parsePairs(command, option, given)
    case 'count':
      return parseCount(command, option, first)
    default:
      return assertNever(option.kind)
  }
}

/** Splits `a,b`; spaces around names and empty places are dropped, so the empty text is the empty list. */
function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function checkChoice(command: Command, option: OptionSpec, text: string): string {
  if (option.choices === undefined || option.choices.includes(text)) return text
  const guess = didYouMean(text, option.choices)
  throw wrong(command, option, `takes ${option.choices.join(', ')}, not '${text}'${guess}`)
}

function parseCount(command: Command, option: OptionSpec, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw wrong(command, option, `takes a whole number, not '${text}'`)
  return Number(text)
}

/** A comma separates two pairs only where a NAME= follows: a path may hold commas. */
function parsePairs(command: Command, option: OptionSpec, given: readonly string[]): Readonly<Record<string, string>> {
  const parts = given.flatMap((text) => text.split(/,\s*(?=[A-Za-z_]+=)/)).map((part) => part.trim())
  const pairs: Record<string, string> = {}
  for (const part of parts) {
    const end = part.indexOf('=')
    const name = part.slice(0, Math.max(0, end))
    if (name === '') throw wrong(command, option, `takes ${option.value ?? 'NAME=VALUE'}, not '${part}'`)
    if (Object.hasOwn(pairs, name)) throw wrong(command, option, `names ${name} more than once`)
    pairs[name] = part.slice(end + 1)
  }
  return pairs
}

function wrong(command: Command, option: OptionSpec, what: string): HaError {
  return new HaError('USAGE', `${nameOption(option)} ${what}`, { hint: `'${command.name} --help' shows all forms.` })
}
