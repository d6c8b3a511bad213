import type { Command, Completes, OptionSpec, WordSpec } from '../command/define-command.ts'

/** What stands behind an option or a word, in the language of the completion scripts: a kind, or a list of words. */
export type Candidates =
  | { readonly kind: Completes | 'nothing' }
  | { readonly kind: 'words'; readonly words: readonly string[] }

/** The methods, which `hareg -M` and `-T` take. */
export const METHOD_WORDS: readonly string[] =
  'START START_NET STOP STOP_NET ABORT ABORT_NET FM_INIT FM_START FM_STOP FM_CHECK'.split(' ')

/** Lists the options of a command as they are written, `-f` and `--plan`. */
export function optionNames(command: Command): readonly string[] {
  const own = Object.values(command.options).flatMap(namesOf)
  return [...own, '--help', '--version']
}

/** Lists the names of an option. */
export function namesOf(option: OptionSpec): readonly string[] {
  return [
    ...(option.letter === undefined ? [] : [`-${option.letter}`]),
    ...(option.long === undefined ? [] : [`--${option.long}`]),
  ]
}

/** Lists the options that take a value, with what completes it. */
export function valueOptions(
  command: Command,
): readonly { readonly names: readonly string[]; readonly candidates: Candidates }[] {
  return Object.values(command.options)
    .filter(({ kind }) => kind !== 'flag')
    .map((option) => ({ names: namesOf(option), candidates: candidatesOf(option) }))
}

/** Lists the first words of a command's forms: `history`, `database`. */
export function firstVerbs(command: Command): readonly string[] {
  return [...new Set(command.forms.flatMap(({ verb }) => verb?.slice(0, 1) ?? []))]
}

/** Lists the second words that may follow a first one. */
export function secondVerbs(command: Command, first: string): readonly string[] {
  return command.forms.flatMap(({ verb }) => (verb?.[0] === first ? verb.slice(1, 2) : []))
}

/** Collects what the words of a form with this verb (none: of all forms without a verb) may be completed with, kind by kind. */
export function wordKinds(command: Command, verb: string | undefined): readonly Completes[] {
  const forms = command.forms.filter((form) => form.verb?.[0] === verb)
  const kinds = forms.flatMap(({ words }) => words.flatMap(({ completes }: WordSpec) => completes ?? []))
  return [...new Set(kinds)]
}

function candidatesOf({ choices, completes }: OptionSpec): Candidates {
  if (choices !== undefined) return { kind: 'words', words: choices }
  return { kind: completes ?? 'nothing' }
}
