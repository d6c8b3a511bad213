import { HAGET_FIELDS } from '../../framework/api/wire/haget.ts'
import type { Command, Completes, OptionSpec } from '../command/define-command.ts'
import { firstVerbs, METHOD_WORDS, namesOf, secondVerbs, wordKinds } from './completion-table.ts'

/** Functions of the script that complete a kind. */
const ACTIONS: Readonly<Record<Completes, string>> = {
  'logical-host': '_haven_logical_hosts',
  'physical-host': '_haven_physical_hosts',
  'any-host': '_haven_hosts',
  service: '_haven_services',
  field: '_haven_fields',
  method: '_haven_methods',
  file: '_files',
  directory: '_directories',
}

/** Writes the completion of all commands for zsh. */
export function zshCompletion(commands: readonly Command[]): string {
  return `${[
    `#compdef ${commands.map(({ name }) => name).join(' ')}`,
    '# Made by `npm run docs` from the definitions of the commands. Do not edit.',
    '# Copy it into a directory of $fpath under the name _haven.',
    '',
    `_haven_get() { local -a names; names=(\${(f)"$(haget -f $1 2>/dev/null)"}); compadd -q -S "" -- $names }`,
    '_haven_list() { compset -P "*,"; "$@" }',
    '_haven_logical_hosts() { _haven_list _haven_get all_logical_hosts }',
    '_haven_physical_hosts() { _haven_list _haven_get all_physical_hosts }',
    '_haven_hosts() { _haven_logical_hosts; _haven_physical_hosts }',
    '_haven_services() { _haven_list _haven_get all_services }',
    `_haven_fields() { compadd -- ${HAGET_FIELDS.map(({ name }) => name).join(' ')} }`,
    `_haven_methods() { _haven_list compadd -q -S "" -- ${METHOD_WORDS.join(' ')} }`,
    ...commands.flatMap((command) => ['', ...commandFunction(command)]),
    '',
    'case "$service" in',
    ...commands.map(({ name }) => `  ${name}) _haven_${name} "$@" ;;`),
    'esac',
  ].join('\n')}\n`
}

function commandFunction(command: Command): readonly string[] {
  const specs = Object.values(command.options).flatMap(optionSpecs)
  return [
    `_haven_${command.name}_words() {`,
    ...verbLines(command),
    `  ${completeKinds(wordKinds(command, undefined))}`,
    '}',
    `_haven_${command.name}() {`,
    '  _arguments -s \\',
    ...specs.map((spec) => `    ${spec} \\`),
    "    '--help[print help]' \\",
    "    '--version[print the version]' \\",
    `    '*::word:_haven_${command.name}_words'`,
    '}',
  ]
}

function verbLines(command: Command): readonly string[] {
  const verbs = firstVerbs(command)
  if (verbs.length === 0) return []
  return [
    `  if (( CURRENT == 1 )); then compadd -- ${verbs.join(' ')}; return; fi`,
    '  case "$words[1]" in',
    ...verbs.map((verb) => {
      const seconds = secondVerbs(command, verb)
      const second =
        seconds.length === 0 ? '' : `if (( CURRENT == 2 )); then compadd -- ${seconds.join(' ')}; return; fi; `
      return `    ${verb}) ${second}${completeKinds(wordKinds(command, verb))}; return ;;`
    }),
    '  esac',
  ]
}

function completeKinds(kinds: readonly Completes[]): string {
  return kinds.length === 0 ? ':' : kinds.map((kind) => ACTIONS[kind]).join('; ')
}

function optionSpecs(option: OptionSpec): readonly string[] {
  const text = option.describe.replaceAll("'", "'\\''").replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', '\\:')
  return namesOf(option).map((name) => `'*${name}[${text}]${valueSpec(option)}'`)
}

function valueSpec({ kind, value = 'value', choices, completes }: OptionSpec): string {
  if (kind === 'flag') return ''
  const called = value.replaceAll(':', ' ')
  if (choices !== undefined) return `:${called}:(${choices.join(' ')})`
  return completes === undefined ? `:${called}: ` : `:${called}:${ACTIONS[completes]}`
}
