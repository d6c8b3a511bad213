import { readFile } from 'node:fs/promises'
import type { ClusterFileRequest } from '../../../framework/api/wire.ts'
import { describeError, HaError } from '../../../framework/errors/ha-error.ts'
import { printAnswer, printJson } from '../../context.ts'
import { showConfigured } from '../../follow/show-configured.ts'
import { diffLines } from '../../print/configured-lines.ts'
import { scconfForm } from './scconf-options.ts'

/** Forms for the whole configuration in a file. */
export const fileForms = [
  scconfForm({
    summary: 'print the whole configuration as YAML',
    verb: ['export'],
    optional: ['json'],
    run: async (_given, context) => {
      const answer = await context.api.exportConfiguration()
      if (context.json) printJson(context, answer)
      else context.stdout.write(answer.text)
      return 0
    },
  }),
  scconfForm({
    summary: 'show what applying a file would change',
    verb: ['diff'],
    required: ['file'],
    optional: ['prune', 'json'],
    run: async ({ options }, context) => {
      const request = await readClusterFile(options.file ?? '', options.prune)
      printAnswer(context, await context.api.diffConfiguration(request), diffLines)
      return 0
    },
  }),
  scconfForm({
    summary: 'make the configuration what a file says; all of it or nothing',
    verb: ['apply'],
    required: ['file'],
    optional: ['prune', 'json'],
    run: async ({ options }, context) => {
      const request = await readClusterFile(options.file ?? '', options.prune)
      return showConfigured(context, await context.api.applyConfiguration(request))
    },
  }),
]

async function readClusterFile(file: string, prune: boolean): Promise<ClusterFileRequest> {
  const fileName = file === '-' ? 'stdin' : file
  try {
    return { text: await readFile(file === '-' ? '/dev/stdin' : file, 'utf8'), fileName, prune }
  } catch (cause) {
    throw new HaError('NOT_FOUND', `${fileName} cannot be read: ${describeError(cause)}`, {
      hint: 'Name a file that `scconf export` has written.',
      cause,
    })
  }
}
