import { readFile, writeFile } from 'node:fs/promises'
import type { DatabaseCheckJson, RestoredJson } from '../../../framework/api/wire.ts'
import { describeError, HaError, isHaError } from '../../../framework/errors/ha-error.ts'
import { type Context, printAnswer, printJson, printLine } from '../../context.ts'
import { checkLines, migratedLines } from '../../print/database-lines.ts'
import { writeTime } from '../../print/duration.ts'
import { scadminForm } from './scadmin-options.ts'

const file = { name: 'file', value: 'FILE', completes: 'file' } as const

/** Looks after the cluster database: through clustd while it runs, else directly. */
export const databaseForms = [
  scadminForm({
    summary: 'check the cluster database; exit code 8 if something is wrong',
    verb: ['database', 'check'],
    optional: ['json'],
    run: async (_given, context) => {
      const checked = await eitherWay<DatabaseCheckJson & { readonly notes?: readonly string[] }>(
        async () => {
          const found = await context.api.checkDatabase()
          const { cluster } = await context.api.configuration()
          const notes = await (await context.offline()).databaseNotes(context.root, cluster.timings)
          return { ...found, notes }
        },
        async () => (await context.offline()).checkDatabase(context.root),
      )
      if (checked.problems.length === 0) {
        printAnswer(context, checked, checkLines)
        return 0
      }
      throw new HaError('DATABASE_CORRUPT', 'the cluster database is not sound', {
        details: checked.problems,
        hint: 'Restore a backup with `scadmin database restore FILE`, or repair what the lines name.',
      })
    },
  }),
  scadminForm({
    summary: 'write a backup of the cluster database into a new file; - is stdout',
    verb: ['database', 'backup'],
    words: [{ ...file, describe: 'the file to write' }],
    optional: ['json'],
    run: async ({ words }, context) => {
      const { text } = await eitherWay(
        () => context.api.backupDatabase(),
        async () => (await context.offline()).backupDatabase(context.root),
      )
      if (words.file === '-') {
        context.stdout.write(text)
        return 0
      }
      await writeNewFile(words.file, text)
      if (context.json) printJson(context, { file: words.file, sizeBytes: Buffer.byteLength(text) })
      else printLine(context, `The cluster database is backed up in ${words.file} (${Buffer.byteLength(text)} bytes).`)
      return 0
    },
  }),
  scadminForm({
    summary: 'replace the configuration by that of a backup; refused while logical hosts are mastered',
    verb: ['database', 'restore'],
    words: [{ ...file, describe: 'a file that `scadmin database backup` has written' }],
    optional: ['json'],
    run: async ({ words }, context) => {
      const text = await readWholeFile(words.file)
      const restored = await eitherWay<RestoredJson & { readonly notes?: readonly string[] }>(
        () => context.api.restoreDatabase({ text }),
        async () => (await context.offline()).restoreDatabase(context.root, text),
      )
      if (context.json) printJson(context, restored)
      else printRestored(context, restored)
      return 0
    },
  }),
  scadminForm({
    summary: 'move the cluster database of this machine from files to etcd while the cluster runs; no service stops',
    verb: ['database', 'migrate'],
    required: ['database'],
    optional: ['address', 'json'],
    run: async ({ options }, context) => {
      const { migrateDatabase } = await context.offline()
      const { root, installation } = context
      const { database = '', address: addresses } = options
      const moved = await migrateDatabase({
        root,
        installation,
        database,
        ...(addresses !== undefined && { addresses }),
      })
      if (context.json) printJson(context, moved)
      else for (const line of migratedLines(moved)) printLine(context, line)
      return 0
    },
  }),
]

function printRestored(context: Context, restored: RestoredJson & { readonly notes?: readonly string[] }): void {
  for (const note of restored.notes ?? []) printLine(context, note)
  const from = `revision ${restored.fromRevision}, taken ${writeTime(restored.takenWallMs)}`
  printLine(context, `The configuration is that of the backup again (${from}, ${restored.records} records).`)
}

/** Asks clustd, which knows best; where none runs, goes to the database itself. */
async function eitherWay<Answer>(online: () => Promise<Answer>, offline: () => Promise<Answer>): Promise<Answer> {
  try {
    return await online()
  } catch (error) {
    if (!isHaError(error, 'CLUSTD_NOT_RUNNING')) throw error
    return offline()
  }
}

async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    // Never over an older backup, and not for everybody to read: paths and names of a cluster are in it.
    await writeFile(path, text, { flag: 'wx', mode: 0o600, flush: true })
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    if (exists)
      throw new HaError('ALREADY_EXISTS', `${path} is there already`, {
        hint: 'Name a file that is not there yet.',
        cause,
      })
    throw new HaError('NOT_FOUND', `${path} cannot be written: ${describeError(cause)}`, {
      hint: 'Name another place.',
      cause,
    })
  }
}

async function readWholeFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new HaError('NOT_FOUND', `${path} cannot be read: ${describeError(cause)}`, {
      hint: 'Name a file that `scadmin database backup` has written.',
      cause,
    })
  }
}
