import { HAGET_FIELDS } from '../../framework/api/wire/haget.ts'
import type { Command, Completes } from '../command/define-command.ts'
import {
  type Candidates,
  firstVerbs,
  METHOD_WORDS,
  optionNames,
  secondVerbs,
  valueOptions,
  wordKinds,
} from './completion-table.ts'

/** How the shell finds the names of a kind. */
const SOURCES: Readonly<Record<Completes, string>> = {
  'logical-host': '$(haget -f all_logical_hosts 2>/dev/null)',
  'physical-host': '$(haget -f all_physical_hosts 2>/dev/null)',
  'any-host': '$(haget -f all_logical_hosts 2>/dev/null; haget -f all_physical_hosts 2>/dev/null)',
  service: '$(haget -f all_services 2>/dev/null)',
  field: HAGET_FIELDS.map(({ name }) => name).join(' '),
  method: METHOD_WORDS.join(' '),
  file: '',
  directory: '',
}

/** Offers the words that fit; in a list, those that fit what stands after the last comma. */
const WORDS_FUNCTION = `_haven_words() {
  local prefix=""
  [[ $cur == *,* ]] && prefix="\${cur%,*},"
  COMPREPLY=($(compgen -P "$prefix" -W "$1" -- "\${cur##*,}"))
}`

/** Writes the completion of all commands for bash. Lists (`-h ha1,ha2`) are completed after each comma. */
export function bashCompletion(commands: readonly Command[]): string {
  return `${[
    '# Made by `npm run docs` from the definitions of the commands. Do not edit.',
    '# Source it from ~/.bashrc, or copy it to /usr/share/bash-completion/completions/ under the name of each command.',
    '',
    WORDS_FUNCTION,
    ...commands.flatMap((command) => ['', ...commandFunction(command)]),
  ].join('\n')}\n`
}

function commandFunction(command: Command): readonly string[] {
  const name = `_haven_${command.name}`
  return [
    `${name}() {`,
    '  local cur prev',
    `  cur="\${COMP_WORDS[COMP_CWORD]}"; prev="\${COMP_WORDS[COMP_CWORD-1]}"`,
    '  COMPREPLY=()',
    '  case "$prev" in',
    ...valueOptions(command).map(
      ({ names, candidates }) => `    ${names.join('|')}) ${complete(candidates)}; return ;;`,
    ),
    '  esac',
    `  if [[ $cur == -* ]]; then _haven_words "${optionNames(command).join(' ')}"; return; fi`,
    ...verbLines(command),
    `  ${completeKinds(wordKinds(command, undefined))}`,
    '}',
    `complete -F ${name} ${command.name}`,
  ]
}

function verbLines(command: Command): readonly string[] {
  const verbs = firstVerbs(command)
  if (verbs.length === 0) return []
  return [
    `  if (( COMP_CWORD == 1 )); then _haven_words "${verbs.join(' ')}"; return; fi`,
    `  case "\${COMP_WORDS[1]}" in`,
    ...verbs.map((verb) => {
      const seconds = secondVerbs(command, verb)
      const second =
        seconds.length === 0 ? '' : `if (( COMP_CWORD == 2 )); then _haven_words "${seconds.join(' ')}"; return; fi; `
      return `    ${verb}) ${second}${completeKinds(wordKinds(command, verb))}; return ;;`
    }),
    '  esac',
  ]
}

function complete(candidates: Candidates): string {
  if (candidates.kind === 'words') return `_haven_words "${candidates.words.join(' ')}"`
  return candidates.kind === 'nothing' ? ':' : completeKinds([candidates.kind])
}

function completeKinds(kinds: readonly Completes[]): string {
  if (kinds.includes('file')) return 'COMPREPLY=($(compgen -f -- "$cur"))'
  if (kinds.includes('directory')) return 'COMPREPLY=($(compgen -d -- "$cur"))'
  if (kinds.length === 0) return ':'
  return `_haven_words "${kinds.map((kind) => SOURCES[kind]).join(' ')}"`
}
