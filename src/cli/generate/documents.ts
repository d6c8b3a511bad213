import type { Command } from '../command/define-command.ts'
import { COMMAND_LOADERS } from '../commands/load.ts'
import { bashCompletion } from './bash-completion.ts'
import { errorsPage } from './errors-page.ts'
import { manPage } from './man-page.ts'
import { zshCompletion } from './zsh-completion.ts'

/** A file that is made from the definitions. */
export interface Document {
  /** From the top of the repository. */
  readonly path: string
  readonly text: string
}

/** Loads all commands, in order of their names. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(COMMAND_LOADERS).map((load) => load()))
}

/** Makes everything that `npm run docs` writes. */
export async function makeDocuments(version: string): Promise<readonly Document[]> {
  const commands = await loadCommands()
  const names = commands.map(({ name }) => name)
  const pages = commands.map((command) => ({
    path: `docs/man/${command.name}.8`,
    text: manPage(command, { version, others: names.filter((name) => name !== command.name) }),
  }))
  return [
    ...pages,
    { path: 'docs/errors.md', text: errorsPage() },
    { path: 'docs/completion/haven.bash', text: bashCompletion(commands) },
    { path: 'docs/completion/_haven', text: zshCompletion(commands) },
  ]
}
