import type { ExplainHostJson, ExplainJson } from '../../framework/api/wire.ts'
import { writeTime } from './duration.ts'

/** Writes why a logical host is where it is, why not elsewhere, what would move it and who changed it last. */
export function explainLines(explained: ExplainJson): readonly string[] {
  const { sentence, why, hosts, wouldMove, lastChange } = explained
  return [
    sentence,
    ...why.map((reason) => `  ${reason}`),
    '',
    'Its possible masters, in order of preference:',
    ...hosts.flatMap(hostLines),
    '',
    ...(wouldMove.length === 0
      ? ['Nothing would move it now.']
      : ['What would move it:', ...wouldMove.map((what) => `  ${what}`)]),
    '',
    ...(lastChange === null
      ? ['What changed it last is not kept any more.']
      : [
          `Changed last ${writeTime(lastChange.atWallMs)} by reconfiguration ${lastChange.reconfiguration}: ${lastChange.cause}`,
          `  ${lastChange.because}`,
        ]),
  ]
}

function hostLines({ host, isMaster, isFit, reasons }: ExplainHostJson): readonly string[] {
  const verdict = isMaster ? 'is the master' : isFit ? 'could take it on' : 'cannot take it on'
  const [first = '', ...rest] = reasons
  return [`  ${host} ${verdict}: ${first}`, ...rest.map((reason) => `    ${reason}`)]
}
