import { existsSync, readFileSync } from 'node:fs'

/** One life of a writer: from its first mark to its last; nanoseconds of the machine's monotonic clock. */
export interface WriterLife {
  readonly host: string
  readonly first: bigint
  readonly last: bigint
}

/**
 * Reads who wrote what to a disk that nobody keeps apart: the marks of the marking service, `NANOSECONDS HOST BEGAN` each. In the order of their beginnings;
 * empty when nobody has written.
 */
export function readMarks(file: string): readonly WriterLife[] {
  if (!existsSync(file)) return []
  const lives = new Map<string, WriterLife>()
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    if (line === '') continue
    const [nanoseconds = '0', host = '', began = '0'] = line.split(' ')
    const at = BigInt(nanoseconds)
    const { first = at } = lives.get(`${host} ${began}`) ?? {}
    lives.set(`${host} ${began}`, { host, first, last: at })
  }
  return [...lives.values()].toSorted((one, other) => (one.first < other.first ? -1 : 1))
}

/** In words: each two lives of different hosts that overlap. One host's own follow each other by other means. */
export function overlaps(lives: readonly WriterLife[]): readonly string[] {
  return lives.flatMap((life, index) =>
    lives
      .slice(index + 1)
      .filter((later) => later.host !== life.host && later.first <= life.last)
      .map((later) => {
        const ms = Number(life.last - later.first) / 1e6
        return `${later.host} began to write ${ms.toFixed(1)} ms before ${life.host} wrote for the last time`
      }),
  )
}
