import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { HaError } from '../../errors/ha-error.ts'
import { FOLLOW_SILENCE_MS_MAX, type FollowEvent, OPERATOR_HEADER } from '../wire.ts'
import { reviveError } from './revive-error.ts'

/** One request to clustd. */
export interface Call {
  readonly socketPath: string
  readonly operator: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly body: object | undefined
  /** Gives up when nothing was heard for so long. */
  readonly silenceMs: number
}

/** Bytes of an answer, at most: twice the largest database, as a backup quotes it. More is not clustd. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024
/** Characters of one line of a followed reconfiguration, at most: a plan of 500 logical hosts has about 2 million. */
const LINE_CHARS_MAX = 32 * 1024 * 1024

/** Makes one request and returns the parsed answer. Rejects with `HaError` only; see `Client`. `signal` ends the waiting. */
export async function callSocket(call: Call, signal?: AbortSignal): Promise<unknown> {
  const answer = await openCall(call, signal)
  const text = await readText(call, answer)
  const value = parseAnswer(text)
  if (!isSuccess(answer)) throw reviveError(value, answer.statusCode)
  return value
}

/** Reads an answer of one JSON value per line while it comes, until `signal` aborts. */
export async function* followSocket(call: Call, signal?: AbortSignal): AsyncGenerator<FollowEvent> {
  const answer = await openCall({ ...call, silenceMs: Math.max(call.silenceMs, FOLLOW_SILENCE_MS_MAX * 3) }, signal)
  if (!isSuccess(answer)) throw reviveError(parseAnswer(await readText(call, answer)), answer.statusCode)
  try {
    for await (const line of linesOf(call, answer)) yield parseAnswer(line) as FollowEvent
  } finally {
    answer.destroy()
  }
}

function openCall(call: Call, signal?: AbortSignal): Promise<IncomingMessage> {
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body))
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: call.socketPath,
        method: call.method,
        path: call.path,
        // One request per connection: a command makes one or two, and an idle connection would keep it from ending.
        agent: false,
        timeout: call.silenceMs,
        headers: headersOf(call, body),
        ...(signal !== undefined && { signal }),
      },
      resolve,
    )
    giveUpOnSilence(call, asked)
    asked.on('error', (error) => reject(wrapFailure(call, error)))
    asked.end(body)
  })
}

function headersOf(call: Call, body: Buffer | undefined): Record<string, string | number> {
  const operator = { [OPERATOR_HEADER]: encodeURIComponent(call.operator) }
  return body === undefined
    ? operator
    : { ...operator, 'content-type': 'application/json', 'content-length': body.length }
}

function giveUpOnSilence(call: Call, asked: ClientRequest): void {
  // Whoever waits now, for the answer or for the rest of it, is the one to be told.
  let answer: IncomingMessage | undefined
  asked.on('response', (begun) => {
    answer = begun
  })
  asked.on('timeout', () => {
    const seconds = Math.round(call.silenceMs / 1000)
    const silence = new HaError('WAIT_TIMED_OUT', `clustd was silent for ${seconds} s in ${call.method} ${call.path}`, {
      hint: "What was asked for may still happen. Look with 'hastat', and into the log of clustd.",
    })
    if (answer === undefined) asked.destroy(silence)
    else answer.destroy(silence)
  })
}

async function readText(call: Call, answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > ANSWER_BYTES_MAX) throw new HaError('INTERNAL', `clustd answered more than ${ANSWER_BYTES_MAX} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw wrapFailure(call, error)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function* linesOf(call: Call, answer: IncomingMessage): AsyncGenerator<string> {
  answer.setEncoding('utf8')
  let rest = ''
  try {
    for await (const chunk of answer as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > LINE_CHARS_MAX)
        throw new HaError('INTERNAL', `clustd sent a line of over ${LINE_CHARS_MAX} characters`)
      for (const line of lines) if (line !== '') yield line
    }
  } catch (error) {
    throw wrapFailure(call, error)
  }
}

function parseAnswer(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text)
  } catch (cause) {
    throw new HaError('INTERNAL', 'clustd answered something that is not JSON', { cause })
  }
}

function isSuccess(answer: IncomingMessage): boolean {
  return answer.statusCode !== undefined && answer.statusCode >= 200 && answer.statusCode < 300
}

/** Nobody listens: no socket, one that a dead clustd left behind, or no rights to it. */
function wrapFailure(call: Call, error: unknown): HaError {
  if (error instanceof HaError) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') {
    return new HaError('CLUSTD_NOT_RUNNING', `No clustd answers at ${call.socketPath}`, {
      hint: "Start it on this host with 'scadmin startcluster HOST CLUSTER' (the first host of the cluster) or 'scadmin startnode'.",
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new HaError('CLUSTD_NOT_RUNNING', `Not allowed to speak with clustd at ${call.socketPath}`, {
      hint: 'Ask as the user that clustd runs as, usually root.',
      cause: error,
    })
  }
  return new HaError('ABORTED', `The connection to clustd broke in the middle of ${call.method} ${call.path}`, {
    hint: "What was asked for may have happened. Look with 'hastat'.",
    cause: error,
  })
}
