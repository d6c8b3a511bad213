import type { Context } from '../context.ts'

/**
 * What an option holds. `flag`: nothing; `text`: one value; `texts`: one value each time it is given; `list`: values joined by commas; `lists`: such a
 * list each time it is given; `pairs`: NAME=value joined by commas; `count`: a whole number.
 */
export type OptionKind = 'flag' | 'text' | 'texts' | 'list' | 'lists' | 'pairs' | 'count'

/** What the shell completes a value with. */
export type Completes =
  | 'logical-host'
  | 'physical-host'
  | 'any-host'
  | 'service'
  | 'field'
  | 'method'
  | 'file'
  | 'directory'

/** One option of a command. It has a letter (classic), a long name (ours), or both. */
export interface OptionSpec {
  readonly kind: OptionKind
  readonly letter?: string
  readonly long?: string
  /** How its value is called in the synopsis; needed by every kind but `flag`. */
  readonly value?: string
  /** What it means: a phrase without a full stop. */
  readonly describe: string
  readonly completes?: Completes
  readonly choices?: readonly string[]
  /** Whether it may stand at the end without its value, which is then the empty text. */
  readonly valueOptional?: boolean
}

/** The options of a command by the names that its code uses. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** One word that is no option. */
export interface WordSpec {
  readonly name: string
  /** How it is called in the synopsis. */
  readonly value: string
  readonly describe: string
  readonly many?: boolean
  readonly optional?: boolean
  readonly completes?: Completes
  readonly choices?: readonly string[]
}

interface ValueOf {
  readonly flag: boolean
  readonly text: string | undefined
  readonly texts: readonly string[] | undefined
  readonly list: readonly string[] | undefined
  readonly lists: readonly (readonly string[])[] | undefined
  readonly pairs: Readonly<Record<string, string>> | undefined
  readonly count: number | undefined
}

/** Any value of an option. */
export type OptionValue = ValueOf[OptionKind]
/** Any value of a word. */
export type WordValue = string | readonly string[] | undefined

type OptionValues<Options extends OptionSpecs> = { readonly [Name in keyof Options]: ValueOf[Options[Name]['kind']] }
type WordValueOf<Word extends WordSpec> = Word extends { many: true }
  ? readonly string[]
  : Word extends { optional: true }
    ? string | undefined
    : string
type WordValues<Words extends readonly WordSpec[]> = {
  readonly [Word in Words[number] as Word['name']]: WordValueOf<Word>
}

/** What a form is run with. A required option of kind `text` is there; TypeScript does not know it, `needed` says so. */
export interface Arguments<Options extends OptionSpecs, Words extends readonly WordSpec[]> {
  readonly options: OptionValues<Options>
  readonly words: WordValues<Words>
}

interface FormSpec<Option extends string> {
  /** What this form does: a phrase that begins with a verb and ends without a full stop. */
  readonly summary: string
  /** Words that it begins with: `database check`. */
  readonly verb?: readonly string[]
  /** Options that make it this form. The form with the most of them is meant. */
  readonly selectedBy?: readonly Option[]
  /** The same, where any one of several options, or more of them, make it this form. */
  readonly selectedByOneOf?: readonly Option[]
  readonly required?: readonly Option[]
  readonly optional?: readonly Option[]
  /** Of these at most one may be given. */
  readonly atMostOneOf?: readonly Option[]
  /** Of these at least one must be given. */
  readonly atLeastOneOf?: readonly Option[]
}

/** One way to call a command, as the code of the command writes it. */
export interface TypedForm<Options extends OptionSpecs, Words extends readonly WordSpec[]>
  extends FormSpec<Extract<keyof Options, string>> {
  readonly words?: Words
  /** Does it. Returns the exit code when it is not 0. Throws `HaError`. */
  readonly run: (given: Arguments<Options, Words>, context: Context) => Promise<number | undefined>
}

/** What was given to a form, before the types of its command are known. */
export interface RawArguments {
  readonly options: Readonly<Record<string, OptionValue>>
  readonly words: Readonly<Record<string, WordValue>>
}

/** One way to call a command. */
export interface Form extends FormSpec<string> {
  readonly words: readonly WordSpec[]
  readonly run: (given: RawArguments, context: Context) => Promise<number | undefined>
}

/** An example of the documentation. */
export interface Example {
  readonly line: string
  readonly describe: string
}

/** A command: from this one definition come its parser, help, man page, completion and tests. */
export interface Command {
  readonly name: string
  /** A phrase that begins with a verb and ends without a full stop. */
  readonly summary: string
  /** Paragraphs. */
  readonly description: readonly string[]
  readonly options: OptionSpecs
  readonly forms: readonly Form[]
  readonly examples: readonly Example[]
}

/** The option that every form of every command takes. */
export const JSON_OPTION = {
  kind: 'flag',
  long: 'json',
  describe: 'print one JSON value instead of text; errors too, on stderr',
} as const satisfies OptionSpec

/** Returns what defines the forms of a command with these options. */
export function formsOf<const Options extends OptionSpecs>(
  _options: Options,
): <const Words extends readonly WordSpec[] = readonly []>(form: TypedForm<Options, Words>) => Form {
  // The parser makes the arguments by the same definitions that the types are made of.
  return (form) => ({ ...form, words: form.words ?? [], run: form.run as unknown as Form['run'] })
}

/** Defines a command. */
export function defineCommand(command: Command): Command {
  return command
}
