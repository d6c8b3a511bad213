import type { Command, Form, RawArguments, WordSpec, WordValue } from './define-command.ts'
import { nameOption, optionOf, writeForm, writeOption, writeWord } from './option-name.ts'
import { type ParsedWords, usageError } from './parse-words.ts'
import { didYouMean } from './suggest.ts'

/** Forms that the error of a command line lists, at most. */
const FORMS_SHOWN_MAX = 5

/** A form with what was given to it. */
export interface ChosenForm {
  readonly form: Form
  readonly given: RawArguments
}

/** Finds out which form of a command is meant, and checks that what was given fits it. Throws `USAGE`. */
export function chooseForm(command: Command, parsed: ParsedWords): ChosenForm {
  const form = findForm(command, parsed)
  checkOptions(command, form, parsed)
  const words = readWords(command, form, parsed.words.slice(form.verb?.length ?? 0))
  return { form, given: { options: readOptions(command, parsed), words } }
}

/** The form with the most selecting options of those that were given is meant, then the one with the longest verb. */
function findForm(command: Command, { options, words }: ParsedWords): Form {
  const fitting = command.forms
    .filter((form) => (form.selectedBy ?? []).every((name) => options.has(name)))
    .filter(({ selectedByOneOf }) => selectedByOneOf === undefined || selectedByOneOf.some((name) => options.has(name)))
    .filter((form) => (form.verb ?? []).every((word, index) => words[index] === word))
    .map((form) => ({ form, weight: countSelectors(form) * 10 + (form.verb?.length ?? 0) }))
    .sort((a, b) => b.weight - a.weight)
  const found = fitting[0]?.form
  if (found === undefined) throw noForm(command, words)
  return found
}

function countSelectors({ selectedBy = [], selectedByOneOf }: Form): number {
  return selectedBy.length + (selectedByOneOf === undefined ? 0 : 1)
}

function noForm(command: Command, words: readonly string[]): Error {
  const verbs = [...new Set(command.forms.flatMap((form) => form.verb?.[0] ?? []))]
  const [word] = words
  const beginnings = command.forms.filter(({ verb }) => verb !== undefined && verb[0] === word)
  if (word !== undefined && beginnings.length > 0) {
    const seconds = beginnings.flatMap(({ verb }) => verb?.[1] ?? [])
    const what = words[1] === undefined ? 'needs to be told what' : `cannot do '${words[1]}'`
    return usageError(command, `'${word}' ${what}${didYouMean(words[1] ?? '', seconds)}`, [
      `one of: ${seconds.join(', ')}`,
    ])
  }
  // A page of forms would hide what is wrong: of many, the help shows them.
  const usages = command.forms.length > FORMS_SHOWN_MAX ? [] : command.forms.map((form) => writeForm(command, form))
  if (verbs.length === 0) return usageError(command, 'that is none of its forms', usages)
  // Where a form begins with a name, the first word may be one, and the options say what to do.
  if (command.forms.some(({ verb }) => verb === undefined))
    return usageError(command, 'it is not said what to do', usages)
  if (word === undefined) return usageError(command, 'it is not said what to do', [`one of: ${verbs.join(', ')}`])
  return usageError(command, `cannot do '${word}'${didYouMean(word, verbs)}`, [`one of: ${verbs.join(', ')}`])
}

function checkOptions(command: Command, form: Form, { options }: ParsedWords): void {
  const usage = [`usage: ${writeForm(command, form)}`]
  const {
    selectedBy = [],
    selectedByOneOf = [],
    required = [],
    optional = [],
    atMostOneOf = [],
    atLeastOneOf = [],
  } = form
  const taken = new Set([...selectedBy, ...selectedByOneOf, ...required, ...optional, ...atMostOneOf, ...atLeastOneOf])
  const name = (option: string): string => nameOption(optionOf(command, option))
  const strange = [...options.keys()].find((option) => !taken.has(option))
  if (strange !== undefined) {
    const beside = [...(form.verb ?? []), ...selectedBy.map(name)].join(' ')
    // Where nothing else says which form is meant, it is one with this option that was meant.
    const home = beside === '' ? command.forms.find((other) => other.selectedBy?.includes(strange)) : undefined
    const shown = home === undefined ? usage : [`usage: ${writeForm(command, home)}`]
    throw usageError(command, `${name(strange)} does not go with ${beside === '' ? 'the rest' : beside}`, shown)
  }
  const missing = required.find((option) => !options.has(option))
  if (missing !== undefined) throw usageError(command, `${writeOption(optionOf(command, missing))} is missing`, usage)
  const rivals = atMostOneOf.filter((option) => options.has(option))
  if (rivals.length > 1) throw usageError(command, `${rivals.map(name).join(' and ')} exclude each other`, usage)
  if (atLeastOneOf.length > 0 && !atLeastOneOf.some((option) => options.has(option)))
    throw usageError(command, `one of ${atLeastOneOf.map(name).join(', ')} is needed`, usage)
}

// A flag that was not given is false; anything else that was not given is undefined.
function readOptions(command: Command, { options }: ParsedWords): RawArguments['options'] {
  const names = Object.entries(command.options)
  return Object.fromEntries(
    names.map(([name, { kind }]) => [name, options.get(name) ?? (kind === 'flag' ? false : undefined)]),
  )
}

function readWords(command: Command, form: Form, words: readonly string[]): RawArguments['words'] {
  const usage = [`usage: ${writeForm(command, form)}`]
  const values: [string, WordValue][] = []
  let rest = words
  for (const spec of form.words) {
    const taken = spec.many === true ? rest : rest.slice(0, 1)
    rest = rest.slice(taken.length)
    if (taken.length === 0 && spec.optional !== true) throw usageError(command, `${writeWord(spec)} is missing`, usage)
    for (const word of taken) checkWord(command, spec, word)
    values.push([spec.name, spec.many === true ? taken : taken[0]])
  }
  if (rest.length > 0) throw usageError(command, `'${rest[0]}' is one word too many`, usage)
  return Object.fromEntries(values)
}

function checkWord(command: Command, spec: WordSpec, word: string): void {
  if (word === '') throw usageError(command, `${spec.value} is empty`)
  if (spec.choices === undefined || spec.choices.includes(word)) return
  throw usageError(
    command,
    `${spec.value} is one of ${spec.choices.join(', ')}, not '${word}'${didYouMean(word, spec.choices)}`,
  )
}
