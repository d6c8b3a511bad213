/** What a cluster file is made of. */
export type PlainValue = string | number | readonly PlainValue[] | { readonly [name: string]: PlainValue }

/** Columns up to which something small is written on one line. */
const LINE_WIDTH = 120
/** Fields of an entry that may stand on one line. */
const FIELDS_ON_LINE_MAX = 2

/**
 * Writes a value as block YAML: lists of words and small maps on one line, everything else below each other. Written here and not by the yaml
 * package because the export of a large cluster must not keep the daemon from stamping: this takes milliseconds instead of hundreds.
 */
export function writeYaml(value: { readonly [name: string]: PlainValue }): string {
  return fieldLines(value).join('\n')
}

function fieldLines(map: { readonly [name: string]: PlainValue }): readonly string[] {
  return Object.entries(map).flatMap(([name, value]) => {
    const key = `${writeScalar(name)}:`
    const short = writeShort(value)
    if (short !== undefined && key.length + 1 + short.length <= LINE_WIDTH) return [`${key} ${short}`]
    return [key, ...blockLines(value).map((line) => `  ${line}`)]
  })
}

function blockLines(value: PlainValue): readonly string[] {
  if (typeof value !== 'object') return [writeScalar(value)]
  if (Object.keys(value).length === 0) return [isList(value) ? '[]' : '{}']
  if (!isList(value)) return fieldLines(value)
  return value.flatMap((item) => {
    const [first = '', ...others] = blockLines(item)
    return [`- ${first}`, ...others.map((line) => `  ${line}`)]
  })
}

/** Writes something that may stand on one line; undefined when it may not. */
function writeShort(value: PlainValue): string | undefined {
  if (typeof value !== 'object') return writeScalar(value)
  if (isList(value)) return value.every(isScalar) ? `[${value.map(writeScalar).join(', ')}]` : undefined
  const fields = Object.entries(value)
  const isSmall =
    fields.length === 0 || (fields.length <= FIELDS_ON_LINE_MAX && fields.every(([, field]) => isScalar(field)))
  return isSmall
    ? `{${fields.map(([name, field]) => `${writeScalar(name)}: ${writeScalar(field)}`).join(', ')}}`
    : undefined
}

function isList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value)
}

function isScalar(value: PlainValue): value is string | number {
  return typeof value !== 'object'
}

// Only what no reader of YAML 1.1 or 1.2 takes for anything but this text: no sign that means something, and nothing that begins like a number.
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./+@=-]*$/
const ADDRESS = /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/
const SPECIAL = /^(true|false|null|yes|no|y|n)$/i

/** Writes a number as it is and text without quotes where that is safe, else as JSON, which YAML 1.2 contains. `on` and `off` are text in YAML 1.2. */
function writeScalar(value: PlainValue): string {
  if (typeof value === 'number') return String(value)
  const text = String(value)
  return ADDRESS.test(text) || (PLAIN.test(text) && !SPECIAL.test(text)) ? text : JSON.stringify(text)
}
