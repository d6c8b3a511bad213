/** One command of a scenario with the comment before it and what happened. */
export interface Block {
  /** Comment lines before the command, as they are in the file. */
  readonly lead: readonly string[]
  /** The command; further lines, when it has any, are indented. */
  readonly command: readonly string[]
}

/** Cuts a scenario into its blocks; what happened (between `----` and the next blank line) is left out, because it is made anew. */
export function parseScript(text: string): { readonly blocks: readonly Block[]; readonly tail: readonly string[] } {
  const blocks: Block[] = []
  let lead: string[] = []
  let command: string[] = []
  let isOutcome = false
  for (const line of text.replace(/\n+$/, '').split('\n')) {
    if (isOutcome) {
      if (line !== '') continue
      isOutcome = false
      lead = []
      command = []
    } else if (line === '----') {
      if (command.length === 0) throw new Error(`---- without a command, after: ${lead.at(-1) ?? 'nothing'}`)
      blocks.push({ lead, command })
      isOutcome = true
    } else if (line === '' && command.length > 0) {
      // A command without its `----` is new: the first run writes what happens.
      blocks.push({ lead, command })
      lead = []
      command = []
    } else if (command.length === 0 && line === '') {
      // Blocks are put one line apart when they are written.
    } else if (command.length === 0 && line.startsWith('#')) {
      lead.push(line)
    } else {
      command.push(line)
    }
  }
  if (!isOutcome && command.length > 0) return { blocks: [...blocks, { lead, command }], tail: [] }
  return { blocks, tail: isOutcome ? [] : lead }
}

/** Writes blocks and their outcomes as a scenario. An outcome has at least one line. */
export function renderScript(
  done: readonly { readonly block: Block; readonly outcome: readonly string[] }[],
  tail: readonly string[],
): string {
  const parts = done.map(({ block, outcome }) =>
    [...block.lead, ...block.command, '----', ...(outcome.length === 0 ? ['ok'] : outcome)].join('\n'),
  )
  return `${[...parts, ...(tail.length > 0 ? [tail.join('\n')] : [])].join('\n\n')}\n`
}
