import { type Figure, isMet, ratioOf, type Spread } from './figure.ts'

/** Makes the lines that show a figure to people. */
export function linesOf(figure: Figure): readonly string[] {
  const { name, unit, measured, reference, details } = figure
  const ratio = ratioOf(figure)
  return [
    `${name}: ${spread(measured)} ${unit}${targetOf(figure)}`,
    ...(reference === undefined || ratio === undefined
      ? []
      : [`    beside ${reference.name}: ${spread(reference.measured)} ${unit}, ratio ${digits(ratio)}`]),
    ...details.map((detail) => `    ${detail}`),
  ]
}

/** Makes the value that `--json` prints for a figure: the figure, its ratio and whether its target was met. */
export function toJson(benchmark: string, figure: Figure): object {
  return { benchmark, ...figure, ratio: ratioOf(figure) ?? null, isMet: isMet(figure) ?? null }
}

/** Writes a number with three digits that mean something. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function spread({ median, min, max, count }: Spread): string {
  return count === 1 ? digits(median) : `${digits(median)} (${digits(min)} to ${digits(max)}, ${count} times)`
}

function targetOf(figure: Figure): string {
  const { target } = figure
  if (target === undefined) return ''
  const what = target.of === 'ratio' ? `a ratio below ${target.below}` : `below ${target.below}`
  return `; wanted ${what}: ${isMet(figure) === true ? 'met' : 'MISSED'}`
}
