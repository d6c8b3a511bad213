import type { Finding } from './finding.ts'

/** Built from halves, so that this file does not break its own rule. */
const leftOver = new RegExp(`\\b(${['FIX' + 'ME', 'TO' + 'DO', 'X' + 'XX'].join('|')})\\b`)

const shownToReaders = /^(src|docs|dataservices|bin)\/|^[^/]+\.md$/

const words: readonly { readonly word: RegExp; readonly instead: string }[] = [
  {
    word: /fail-?over/i,
    instead: 'switchover (an operator asked for it) or takeover (a loss or a fault monitor caused it)',
  },
  { word: /\bVIPs?\b|\bvip[A-Z]/i, instead: 'logical address' },
]

/** Finds unfinished business and words that are not ours, line by line, in a file of any kind. */
export function checkText(file: string, text: string): readonly Finding[] {
  return text.split('\n').flatMap((content, index) => {
    const at = { file, line: index + 1 }
    return [...checkLeftOvers(at, content), ...checkWords(at, content)]
  })
}

type Place = Pick<Finding, 'file' | 'line'>

function checkLeftOvers(at: Place, content: string): readonly Finding[] {
  const found = leftOver.exec(content)?.[1]
  if (found === undefined) return []
  return [{ ...at, rule: 'left-over', what: `${found} is left over`, instead: 'do it now, or open an issue' }]
}

function checkWords(at: Place, content: string): readonly Finding[] {
  if (!shownToReaders.test(at.file)) return []
  return words.flatMap(({ word, instead }) => {
    const found = word.exec(content)?.[0]
    return found === undefined ? [] : [{ ...at, rule: 'word' as const, what: `"${found}" is not our word`, instead }]
  })
}
