/** A cell; numbers are set to the right. */
export type Cell = string | { readonly right: string }

/** Sets rows in columns, two spaces between them; the last column is not filled up. */
export function renderTable(rows: readonly (readonly Cell[])[], indent = ''): readonly string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, textOf(cell).length)
  return rows.map((row) =>
    `${indent}${row.map((cell, index) => padCell(cell, widths[index] ?? 0)).join('  ')}`.trimEnd(),
  )
}

/** Breaks a text into lines of at most `width` characters, at spaces. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}

/** Cuts a text to `width` characters, with an ellipsis where something is gone. */
export function cutText(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.right
}

function padCell(cell: Cell, width: number): string {
  return typeof cell === 'string' ? cell.padEnd(width) : cell.right.padStart(width)
}
