// @ts-check
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { environmentOf } from './stage.mjs'
import { showCommand, showOutput } from './tell.mjs'

/** @typedef {import('./stage.mjs').Stage} Stage */
/** @typedef {import('./stage.mjs').Host} Host */

/** Runs Haven's commands at the physical hosts of the demo. */
export class Commands {
  /** @param {Stage} stage @param {AbortSignal} signal - ends the command that runs */
  constructor(stage, signal) {
    this.stage = stage
    this.signal = signal
  }

  /**
   * Runs a command as it is printed, and prints what it prints. Throws when it fails.
   * @param {Host} host
   * @param {string} line - words parted by blanks
   */
  async run(host, line) {
    showCommand(host.name, line)
    await this.#start(host, line, showOutput)
  }

  /**
   * Runs a query without showing it. Throws when it fails.
   * @param {Host} host
   * @param {string} line
   * @returns {Promise<string>} what it printed
   */
  async ask(host, line) {
    /** @type {string[]} */
    const lines = []
    await this.#start(host, line, (text) => lines.push(text))
    return lines.join('\n')
  }

  /**
   * Runs a query whose answer is JSON.
   * @param {Host} host
   * @param {string} line
   * @returns {Promise<any>}
   */
  async askJson(host, line) {
    return JSON.parse(await this.ask(host, `${line} --json`))
  }

  /** @param {Host} host @param {string} line @param {(text: string) => void} onLine */
  #start(host, line, onLine) {
    this.signal.throwIfAborted()
    const [command = '', ...words] = line.split(' ')
    const { stage, signal } = this
    return new Promise((done, reject) => {
      const child = spawn(command, words, {
        cwd: stage.directory,
        env: environmentOf(stage, host),
        stdio: ['ignore', 'pipe', 'pipe'],
        signal,
        killSignal: 'SIGKILL',
      })
      for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
      child.on('error', (error) => reject(signal.aborted ? signal.reason : error))
      child.on('close', (code, killedBy) => {
        if (code === 0) done(undefined)
        else reject(new Error(`${host.name}$ ${line}: ended with ${killedBy ?? `exit code ${code}`}`))
      })
    })
  }
}
