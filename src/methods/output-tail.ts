import { OUTPUT_TAIL_LINE_CHARS_MAX, OUTPUT_TAIL_LINES_MAX } from '../framework/model/timeline.ts'

/** A terminal's escape sequences: colours, moves of the cursor, titles. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const TERMINAL_SEQUENCES = /\u001b(\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(\u0007|\u001b\\)?|[@-Z\\-_])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/**
 * Takes the last lines out of the end of a method's output, fit for a record and a terminal: at most `OUTPUT_TAIL_LINES_MAX` lines of
 * `OUTPUT_TAIL_LINE_CHARS_MAX` characters (a longer one ends in an ellipsis), bytes that are no text as U+FFFD. No output: no lines.
 *
 * @param isCut - whether bytes before these were left out, so that the first line may be only the end of one
 */
export function outputTail(bytes: Uint8Array, isCut: boolean): readonly string[] {
  const lines = new TextDecoder()
    .decode(bytes)
    .replace(TERMINAL_SEQUENCES, '')
    .split(/\r*\n|\r/)
  const first = lines[0]
  if (isCut && first !== undefined) lines[0] = `…${first.replace(/^\uFFFD{1,3}/, '')}`
  const last = lines.findLastIndex((line) => line !== '')
  return lines.slice(Math.max(0, last + 1 - OUTPUT_TAIL_LINES_MAX), last + 1).map(printable)
}

function printable(line: string): string {
  const characters = Array.from(line.slice(0, 2 * OUTPUT_TAIL_LINE_CHARS_MAX + 2))
  const kept =
    characters.length <= OUTPUT_TAIL_LINE_CHARS_MAX
      ? characters
      : [...characters.slice(0, OUTPUT_TAIL_LINE_CHARS_MAX - 1), '…']
  return kept.join('').replace(CONTROL_CHARACTERS, '\uFFFD')
}
