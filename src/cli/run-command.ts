import { chooseForm } from './command/choose-form.ts'
import type { Command } from './command/define-command.ts'
import { parseWords } from './command/parse-words.ts'
import type { Context } from './context.ts'
import { printLine } from './context.ts'
import { explainSilence } from './explain-silence.ts'
import { reportError } from './report-error.ts'

/** What a command is run with; the rest of its context comes from its arguments. */
export type World = Omit<Context, 'name' | 'json'>

/**
 * Runs a command and returns its exit code: 0, or that of the error table. Never throws. `--help` and `--version` work for all commands;
 * `-V` alone is the version too (beside `hareg -q` it asks for that of a data service).
 */
export async function runCommand(command: Command, argv: readonly string[], world: World): Promise<number> {
  const options = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  const context: Context = { ...world, name: command.name, json: options.includes('--json') }
  try {
    if (options.includes('--help')) {
      const { helpLines } = await import('./generate/help-text.ts')
      for (const line of helpLines(command, context.stdout.columns)) printLine(context, line)
      return 0
    }
    if (options.includes('--version') || (argv.length === 1 && argv[0] === '-V')) {
      const { versionOf } = await import('./version.ts')
      printLine(context, `${command.name} (Haven) ${await versionOf(context.installation)}`)
      return 0
    }
    const { form, given } = chooseForm(command, parseWords(command, argv))
    return (await form.run(given, context)) ?? 0
  } catch (error) {
    return reportError(context, await explainSilence(context, error))
  }
}
