import type { Command, Form, OptionSpec } from './define-command.ts'

/** Names an option as it is written: `-m`, or `--plan` when it has no letter. */
export function nameOption(option: OptionSpec): string {
  return option.letter === undefined ? `--${option.long ?? ''}` : `-${option.letter}`
}

/** Names an option with its value: `-h LOGICALHOST,...`. */
export function writeOption(option: OptionSpec): string {
  return [nameOption(option), writeValue(option)].filter((part) => part !== '').join(' ')
}

/** Writes the value of an option as a synopsis does: `METHOD=PATH,...`, `FIELD`, or nothing for a flag. */
export function writeValue({ kind, value = '', choices }: OptionSpec): string {
  if (kind === 'flag') return ''
  if (choices !== undefined) return choices.join('|')
  if (kind === 'list' || kind === 'pairs') return `${value},...`
  return kind === 'texts' || kind === 'lists' ? `${value} ...` : value
}

/** Writes one form as a synopsis: `haswitch -m LOGICALHOST... [--plan] [--json]`. */
export function writeForm(command: Command, form: Form): string {
  return [command.name, ...synopsisParts(command, form)].join(' ')
}

/** Returns the parts of a synopsis, without the name of the command. A line may be broken between parts. */
export function synopsisParts(command: Command, form: Form): readonly string[] {
  const write = (name: string): string => writeOption(optionOf(command, name))
  const exclusive = form.atMostOneOf ?? []
  const lonely = (form.optional ?? []).filter((name) => !exclusive.includes(name))
  return [
    ...(form.verb ?? []),
    ...form.words.filter(isBeforeOptions).map(writeWord),
    ...(form.selectedBy ?? []).map(write),
    ...(form.selectedByOneOf ?? []).map((name) => `[${write(name)}]`),
    ...(form.required ?? []).map(write),
    ...(exclusive.length > 0 ? [`[${exclusive.map(write).join(' | ')}]`] : []),
    ...form.words.filter((word) => !isBeforeOptions(word)).map(writeWord),
    ...lonely.map((name) => `[${write(name)}]`),
  ]
}

/** Returns the option that a form calls by that name. */
export function optionOf(command: Command, name: string): OptionSpec {
  const option = command.options[name]
  if (option === undefined) throw new TypeError(`${command.name} has no option called ${name}`)
  return option
}

/** Writes a word of a synopsis: `HOST`, `LOGICALHOST...`, `[NUMBER]`. */
export function writeWord({ value, many, optional }: Form['words'][number]): string {
  const whole = many === true ? `${value}...` : value
  return optional === true ? `[${whole}]` : whole
}

// `scconf CLUSTER -L ...` is how the manual writes it; all else stands after the options.
function isBeforeOptions(word: Form['words'][number]): boolean {
  return word.value === 'CLUSTER'
}
