// @ts-check
/** Prints what the demo tells: headings, sentences, commands and what they print. */

const isPretty = process.stdout.isTTY === true && !process.env['NO_COLOR']
/** @param {string} code @param {string} text */
const styled = (code, text) => (isPretty ? `\x1b[${code}m${text}\x1b[0m` : text)

/** @param {string} text */
export function heading(text) {
  say('', styled('1;36', `== ${text}`))
}

/**
 * Prints lines of prose.
 * @param {string[]} lines
 */
export function say(...lines) {
  for (const line of lines) process.stdout.write(`${line}\n`)
}

/**
 * Prints a command as somebody at that physical host would type it.
 * @param {string} host - its name; '' = this machine
 * @param {string} line
 */
export function showCommand(host, line) {
  say('', styled('1', `${host}$ ${line}`))
}

/**
 * Prints what a command has printed, one line.
 * @param {string} line
 */
export function showOutput(line) {
  say(line === '' ? '' : `    ${line}`)
}

/**
 * Writes milliseconds for people: `312 ms`, `2.41 s`.
 * @param {number} ms
 */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`
}
