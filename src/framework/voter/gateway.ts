import { readFileSync, statSync } from 'node:fs'
import { type Agent, Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { describeError, HaError } from '../errors/ha-error.ts'
import type { Effects } from '../ports/effects.ts'
import type { VoterPaths } from './voter-paths.ts'

/** More than a list of all voters takes; a database is never read through the gateway. */
const ANSWER_BYTES_MAX = 1024 * 1024

/** One question to one etcd. */
export interface Question {
  /** Such as `https://10.0.0.1:7412`. */
  readonly endpoint: string
  /** Such as `/v3/cluster/member/list`. */
  readonly path: string
  /** Sent as JSON; absent: the question is a GET. */
  readonly body?: unknown
  readonly withinMs: number
}

/** An answer of etcd: `code` and a sentence when it refused. */
export type Answer = Readonly<Record<string, unknown>>

/** Asks an etcd that Haven runs, over its JSON gateway. */
export interface Gateway {
  /** Resolves with the answer, a refusal included. Throws `DATABASE_UNAVAILABLE` when there is none in time. */
  ask(question: Question): Promise<Answer>
  /** Resolves with an answer that is no JSON, such as that of `/metrics`. Throws `DATABASE_UNAVAILABLE` when there is none in time, or a refusal. */
  read(question: Question): Promise<string>
  /** Lets its connections go. */
  close(): void
}

/** Where the files for TLS are. */
type TlsFiles = VoterPaths['tls']

/** Makes a gateway; `https:` endpoints are asked with the host's own certificate, as it is at that moment. */
export function createGateway({ effects, tls }: { readonly effects: Effects; readonly tls: TlsFiles }): Gateway {
  const plain = new HttpAgent({ keepAlive: true })
  let secure: { readonly agent: HttpsAgent; readonly writtenMs: number } | undefined
  const secureAgent = (): HttpsAgent => {
    const writtenMs = statSync(tls.certificate).mtimeMs
    if (secure?.writtenMs === writtenMs) return secure.agent
    secure?.agent.destroy()
    secure = { agent: makeSecureAgent(tls), writtenMs }
    return secure.agent
  }
  const within = async <Value>(question: Question, understand: (reply: Reply) => Value): Promise<Value> => {
    const ender = new AbortController()
    const isOver = effects.sleep(question.withinMs, ender.signal).then(
      () => ender.abort(new Error(`no answer within ${question.withinMs} ms`)),
      () => undefined, // It was answered.
    )
    try {
      const agent = question.endpoint.startsWith('https:') ? secureAgent() : plain
      return understand(await send(question, agent, ender.signal))
    } catch (cause) {
      const why = ender.signal.aborted ? `no answer within ${question.withinMs} ms` : describeError(cause)
      throw new HaError('DATABASE_UNAVAILABLE', `etcd at ${question.endpoint} does not answer: ${why}`, { cause })
    } finally {
      ender.abort()
      await isOver
    }
  }
  return {
    ask: (question) => within(question, ({ text }) => JSON.parse(text) as Answer),
    read: (question) =>
      within(question, ({ text, code }) => {
        if (code === 200) return text
        throw new Error(`it refuses ${question.path} with ${code}`)
      }),
    close: () => {
      plain.destroy()
      secure?.agent.destroy()
    },
  }
}

function makeSecureAgent({ ca, certificate, key }: TlsFiles): HttpsAgent {
  return new HttpsAgent({
    keepAlive: true,
    ca: readFileSync(ca),
    cert: readFileSync(certificate),
    key: readFileSync(key),
  })
}

interface Reply {
  /** HTTP status. */
  readonly code: number
  readonly text: string
}

function send({ endpoint, path, body }: Question, agent: Agent, signal: AbortSignal): Promise<Reply> {
  const request = endpoint.startsWith('https:') ? httpsRequest : httpRequest
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const method = text === undefined ? 'GET' : 'POST'
    const sent = request(`${endpoint}${path}`, { method, agent, signal }, (response) => {
      const pieces: Buffer[] = []
      let sizeBytes = 0
      response.on('data', (piece: Buffer) => {
        sizeBytes += piece.length
        if (sizeBytes > ANSWER_BYTES_MAX) response.destroy(new Error('the answer is too long'))
        else pieces.push(piece)
      })
      response.on('error', reject)
      response.on('end', () => {
        resolve({ code: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') })
      })
    })
    sent.on('error', reject)
    sent.end(text)
  })
}
