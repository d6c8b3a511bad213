import type { ConfigurationChangeJson, ConfigurationDiffJson, ConfiguredJson } from '../../framework/api/wire.ts'

/** Writes what was changed in the configuration, and what to know about it. */
export function configuredLines({ changes, warnings }: ConfiguredJson): readonly string[] {
  return [
    ...(changes.length === 0 ? ['Nothing had to be changed.'] : changes.flatMap((change) => changeLines(change, DONE))),
    ...warnings.map((warning) => `warning: ${warning}`),
  ]
}

/** Writes what applying a file would change. */
export function diffLines({ changes, requests, warnings }: ConfigurationDiffJson): readonly string[] {
  const isSame = changes.length === 0 && requests.length === 0
  return [
    ...(isSame ? ['The file is what is configured: nothing would change.'] : []),
    ...changes.flatMap((change) => changeLines(change, TO_DO)),
    ...requests.map((request) => `* ${request}`),
    ...warnings.map((warning) => `warning: ${warning}`),
  ]
}

const DONE = { add: 'added', change: 'changed', remove: 'removed' } as const
const TO_DO = { add: '+ add', change: '~ change', remove: '- remove' } as const

function changeLines(change: ConfigurationChangeJson, verbs: typeof DONE | typeof TO_DO): readonly string[] {
  if (change.needsPrune) return [`! keep ${change.what}: it is not in the file, --prune would remove it`]
  return [`${verbs[change.kind]} ${change.what}`, ...change.lines.map((line) => `    ${line}`)]
}
