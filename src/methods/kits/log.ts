/** Writes a line to stderr, which is the log of this run of the method; its last lines are kept in the timeline. */
export function logLine(message: string): void {
  process.stderr.write(`${message}\n`)
}
