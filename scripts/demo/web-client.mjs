// @ts-check
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** @typedef {{ status: number, body: string, servedBy: string }} Answer */
/**
 * A time without an answer: from the last answer before it, of `from`, to the first one after it, of `to`.
 * @typedef {{ from: string, to: string, outageMs: number, failed: number, error: string }} Outage
 */

const PAUSE_MS = 5
/** An answer takes a few milliseconds; one that takes longer than this is none. */
const ANSWER_MS_MAX = 1000

/** Asks for one page every few milliseconds, on a new connection each time, and keeps account of the answers. */
export class WebClient {
  /** @type {Outage[]} */
  outages = []
  good = 0
  failed = 0
  /** Answers that came and were not the page. @type {string[]} */
  wrong = []
  servedBy = ''
  #lastGoodAt = 0
  #failedSince = 0
  #error = ''
  #isStopped = false
  #page = ''

  /** @param {{ address: string, port: number }} place */
  constructor({ address, port }) {
    this.place = { address, port }
  }

  get url() {
    return `http://${this.place.address}:${this.place.port}`
  }

  /**
   * Begins to ask for `/`.
   * @param {string} page - what the answer has to be
   */
  start(page) {
    this.#page = page
    void this.#poll()
  }

  stop() {
    this.#isStopped = true
  }

  /** Why the last question had no answer; undefined = it had one. */
  get trouble() {
    return this.#failedSince === 0 ? undefined : this.#error
  }

  /**
   * Asks once.
   * @param {string} path
   * @returns {Promise<Answer>}
   */
  read(path) {
    return fetchPage(`${this.url}${path}`)
  }

  /**
   * Waits until that host answers. Throws when it has not after `withinMs`.
   * @param {string} host
   * @param {{ withinMs: number, signal: AbortSignal }} options
   */
  async waitFor(host, { withinMs, signal }) {
    const deadline = performance.now() + withinMs
    while (this.servedBy !== host) {
      signal.throwIfAborted()
      if (performance.now() > deadline)
        throw new Error(`${host} has not answered the client within ${withinMs / 1000} s; last: ${this.#error}`)
      await sleep(PAUSE_MS)
    }
  }

  async #poll() {
    while (!this.#isStopped) {
      try {
        this.#note(await this.read('/'))
      } catch (error) {
        this.failed += 1
        this.#failedSince += 1
        this.#error = error instanceof Error ? error.message : String(error)
      }
      await sleep(PAUSE_MS)
    }
  }

  /** @param {Answer} answer */
  #note({ status, body, servedBy }) {
    if (status !== 200 || body !== this.#page) this.wrong.push(`${status} from ${servedBy}: ${body.slice(0, 80)}`)
    const now = performance.now()
    if (this.servedBy !== '' && (servedBy !== this.servedBy || this.#failedSince > 0)) {
      const outageMs = now - this.#lastGoodAt
      this.outages.push({ from: this.servedBy, to: servedBy, outageMs, failed: this.#failedSince, error: this.#error })
    }
    this.good += 1
    this.servedBy = servedBy
    this.#lastGoodAt = now
    this.#failedSince = 0
  }
}

/** @param {string} url @returns {Promise<Answer>} */
function fetchPage(url) {
  return new Promise((done, reject) => {
    // A new connection for each: one that is kept open would hide that the address has moved.
    const request = get(url, { agent: false, signal: AbortSignal.timeout(ANSWER_MS_MAX) }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => {
        const { 'x-served-by': servedBy } = response.headers
        done({ status: response.statusCode ?? 0, body, servedBy: String(servedBy ?? 'nobody') })
      })
    })
    request.on('error', reject)
  })
}
