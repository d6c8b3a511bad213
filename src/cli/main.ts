import { hideServerNameWarning } from '../framework/errors/hide-warning.ts'
import { COMMAND_LOADERS, isCommandName } from './commands/load.ts'
import { realWorld } from './real-world.ts'
import { reportError } from './report-error.ts'
import { runCommand } from './run-command.ts'

/** Runs one of the commands of `bin/` with the arguments after its name. Resolves with its exit code; never rejects. */
export async function runCli(name: string, argv: readonly string[]): Promise<number> {
  hideServerNameWarning()
  const world = realWorld()
  if (!isCommandName(name))
    return reportError({ ...world, name, json: false }, new Error(`there is no command ${name}`))
  return runCommand(await COMMAND_LOADERS[name](), argv, world)
}
