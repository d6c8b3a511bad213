import assert from 'node:assert/strict'
import { Composer, type Document, isMap, isPair, isScalar, isSeq, Lexer, LineCounter, type Node, Parser } from 'yaml'
import type { z } from 'zod'
import { HaError } from '../errors/ha-error.ts'
import { type ClusterFile, clusterFileShape } from './cluster-file-shape.ts'
import type { Problem, ProblemPath } from './problem.ts'

/** A cluster file, and where in its text each part of it stands. */
export interface ParsedClusterFile {
  readonly file: ClusterFile
  /**
   * Makes the error that reports the problems, in the order of their lines: `cluster.yaml:12:5: ...`. What the file does not hold is
   * placed at what comes nearest above it.
   */
  refuse(problems: readonly Pick<Problem, 'path' | 'message'>[]): HaError
}

/** Aliases that a file may expand to: far more than any cluster needs, and too few to fill the memory. */
const ALIASES_MAX = 1_000

/** Pieces of text that are read between two pauses: some milliseconds. */
const LEXEMES_AT_ONCE = 1_000

/** Reads the YAML text of a cluster. Throws `CONFIG_INVALID` with every problem of its shape, each with line and column. */
export function parseClusterFile(text: string, fileName: string): ParsedClusterFile {
  const parts = parseClusterFileInParts(text, fileName)
  for (;;) {
    const part = parts.next()
    if (part.done === true) return part.value
  }
}

/**
 * As `parseClusterFile`, but pauses wherever something else may run in between: the file of a large cluster takes longer to read than a
 * daemon may be late with its stamp.
 */
export function* parseClusterFileInParts(text: string, fileName: string): Generator<undefined, ParsedClusterFile> {
  const lines = new LineCounter()
  const document = yield* compose(text, lines)
  const refusal = (found: readonly PlacedProblem[]): HaError => wrongFile(fileName, lines, found)
  if (document.errors.length > 0)
    throw refusal(document.errors.map(({ pos, message }) => ({ offset: pos[0], message })))
  const refuse: ParsedClusterFile['refuse'] = (problems) =>
    refusal(problems.map(({ path, message }) => ({ offset: offsetOf(document, path), message })))
  yield
  const value = toPlainValue(document, refusal)
  yield
  const parsed = clusterFileShape.safeParse(value)
  if (!parsed.success) throw refuse(parsed.error.issues.flatMap(toProblems))
  return { file: parsed.data, refuse }
}

/** What `parseDocument` of the yaml package does, with pauses. */
function* compose(text: string, lines: LineCounter): Generator<undefined, Document.Parsed> {
  const parser = new Parser(lines.addNewLine)
  const composer = new Composer({ prettyErrors: false })
  const documents: Document.Parsed[] = []
  let count = 0
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token))
    count += 1
    if (count % LEXEMES_AT_ONCE === 0) yield
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  yield
  documents.push(...composer.end(true, text.length))
  const [document, second] = documents
  assert(document !== undefined, 'a composer that is told to makes one document at least')
  if (second !== undefined)
    throw new HaError('CONFIG_INVALID', 'a cluster file holds one document, and not several parted by ---')
  return document
}

interface PlacedProblem {
  readonly offset: number
  readonly message: string
}

function wrongFile(fileName: string, lines: LineCounter, found: readonly PlacedProblem[]): HaError {
  const details = found
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, message }) => {
      const { line, col } = lines.linePos(offset)
      return `${fileName}:${line}:${col}: ${message}`
    })
  const count = details.length === 1 ? 'a problem' : `${details.length} problems`
  return new HaError('CONFIG_INVALID', `${fileName} has ${count}; nothing was changed`, { details })
}

function toPlainValue(document: Document, refusal: (found: readonly PlacedProblem[]) => HaError): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {}
  } catch (error) {
    // An alias that refers to nothing, or too many of them.
    throw refusal([{ offset: 0, message: error instanceof Error ? error.message : String(error) }])
  }
}

function toProblems(issue: z.core.$ZodIssue): readonly Pick<Problem, 'path' | 'message'>[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
  const where = path.length === 0 ? '' : `${path.join('.')}: `
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: `${where}there is no field '${key}'` }))
  }
  return [{ path, message: `${where}${issue.message}` }]
}

/** Offset in the text of the deepest part of the path that is there. */
function offsetOf(document: Document, path: ProblemPath): number {
  let offset = 0
  let node: unknown = document.contents
  for (const step of path) {
    const next = enter(node, step)
    if (next === undefined) break
    offset = next.offset
    node = next.node
  }
  return offset
}

function enter(node: unknown, step: string | number): { readonly offset: number; readonly node: unknown } | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step] as Node | undefined
    return item === undefined ? undefined : { offset: item.range?.[0] ?? 0, node: item }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step))
  // The key, not the value: that is where people look for `stampMs`.
  return pair === undefined ? undefined : { offset: (pair.key as Node).range?.[0] ?? 0, node: pair.value }
}
