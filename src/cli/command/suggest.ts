/** Edits by which a word may differ from what was meant: more, and the guess is as often wrong as right. */
const DISTANCE_MAX = 2

/** Finds the one of `known` that `word` was probably meant to be; undefined when none is near. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.min(DISTANCE_MAX, Math.floor(name.length / 2)))
    .sort((a, b) => a.distance - b.distance)
  return near[0]?.name
}

/** Renders a suggestion as the end of a sentence: `; did you mean 'stopnode'?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = suggest(word, known)
  return meant === undefined ? '' : `; did you mean '${meant}'?`
}

/** Counts the letters to add, drop, exchange or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = []
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const edits = [at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + same]
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits.push(at(before, j - 2) + 1)
      next.push(Math.min(...edits))
    }
    before = row
    row = next
  }
  return at(row, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0
}
