import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { type Agent, request } from 'node:https'
import { connect, type DetailedPeerCertificate, type PeerCertificate, type TLSSocket } from 'node:tls'
import { describeError, HaError } from '../errors/ha-error.ts'
import type { Effects } from '../ports/effects.ts'
import { type CertificateFacts, fingerprintOf, readCertificate } from './certificate.ts'

/** Where somebody listens. */
export interface TlsPlace {
  /** IP address or host name. */
  readonly address: string
  readonly port: number
}

/** One request over TLS. */
export interface TlsCall {
  readonly place: TlsPlace
  /** Who must have signed the certificate of the other side; PEM. */
  readonly authority: string
  /** What this side shows; left out: nothing, as it has nothing yet. PEM. */
  readonly own?: { readonly certificate: string; readonly key: string }
  /** Returns why the other side is not the one that is meant; undefined = it is. */
  readonly refuse: (other: CertificateFacts) => string | undefined
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: object
  /** Gives up after so long, connecting included. */
  readonly withinMs: number
  /** Keeps the connection for the next call; left out: it ends with the answer. */
  readonly agent?: Agent
}

/** What was answered: the HTTP status and the parsed JSON. */
export interface TlsAnswer {
  readonly status: number
  readonly value: unknown
}

/** Bytes of an answer, at most. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024
const TIME_IS_UP = 'it did not answer in time'

/**
 * Makes one request. Nothing is sent before the other side has proved who it is. Throws `HOST_UNREACHABLE` (nobody there, silent, or cut off in the
 * middle: what was asked for may have happened), `CERTIFICATE_REFUSED` (the other side is not who it should be).
 */
export async function callOverTls(effects: Pick<Effects, 'sleep'>, call: TlsCall): Promise<TlsAnswer> {
  return within(effects, call.place, call.withinMs, async (signal) => {
    const answer = await open(call, signal)
    return { status: answer.statusCode ?? 0, value: parse(call.place, await readText(answer)) }
  })
}

/** The certificate of an authority, as it was shown. */
export interface FoundAuthority {
  /** PEM. */
  readonly certificate: string
  /** The IP address of this machine on the way there. */
  readonly localAddress: string
}

/**
 * Returns the certificate of the authority that has this fingerprint, as whoever listens there shows it. Nothing is sent, and that it is shown proves
 * nothing yet: the next connection is checked by it. Throws `HOST_UNREACHABLE`, `CERTIFICATE_REFUSED` (another authority).
 */
export async function fetchAuthority(
  effects: Pick<Effects, 'sleep'>,
  place: TlsPlace,
  fingerprint: string,
  withinMs: number,
): Promise<FoundAuthority> {
  return within(effects, place, withinMs, async (signal) => {
    const socket = connect({ host: place.address, port: place.port, rejectUnauthorized: false, minVersion: 'TLSv1.3' })
    const stop = (): void => void socket.destroy()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await Promise.race([once(socket, 'secureConnect'), endOf(socket)])
      const found = chainOf(socket).find((one) => fingerprintOf(one) === fingerprint)
      const { localAddress = '' } = socket
      if (found !== undefined) return { certificate: found.toString(), localAddress }
    } finally {
      signal.removeEventListener('abort', stop)
      socket.destroy()
    }
    throw new HaError(
      'CERTIFICATE_REFUSED',
      `${describePlace(place)} does not belong to the cluster that the token is for`,
      {
        hint: 'Check the address. If it is right, somebody else answers there: the token was not sent.',
      },
    )
  })
}

/** Runs work that ends when the time is up; every failure that is not ours becomes `HOST_UNREACHABLE`. */
async function within<Value>(
  effects: Pick<Effects, 'sleep'>,
  place: TlsPlace,
  withinMs: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const ender = new AbortController()
  const done = new AbortController()
  const timeout = effects.sleep(withinMs, done.signal).then(
    () => ender.abort(new Error(TIME_IS_UP)),
    () => undefined,
  )
  try {
    return await work(ender.signal)
  } catch (cause) {
    if (cause instanceof HaError) throw cause
    const why = ender.signal.aborted ? TIME_IS_UP : describeError(cause)
    throw new HaError('HOST_UNREACHABLE', `${describePlace(place)} cannot be asked: ${why}`, {
      hint: 'Check that clustd runs there, that the address is right, and that no firewall is between.',
      cause,
    })
  } finally {
    done.abort('no longer waited for')
    await timeout
  }
}

async function open(call: TlsCall, signal: AbortSignal): Promise<IncomingMessage> {
  const { place, authority, own, method, path, agent } = call
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body))
  const refused: { error: HaError | undefined } = { error: undefined }
  const asked = request({
    host: place.address,
    port: place.port,
    method,
    path,
    signal,
    agent: agent ?? false,
    ca: authority,
    ...(own !== undefined && { cert: own.certificate, key: own.key }),
    minVersion: 'TLSv1.3',
    checkServerIdentity: (_name, certificate) => {
      refused.error = judge(call, certificate)
      return refused.error
    },
    headers: body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length },
  })
  // A connection of the agent that was there already was judged when it was made.
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve)
    asked.on('error', (error) => reject(refused.error ?? explain(place, error)))
  })
  asked.end(body)
  return answered
}

function judge({ place, refuse }: TlsCall, { raw }: PeerCertificate): HaError | undefined {
  try {
    const why = refuse(readCertificate(new X509Certificate(raw)))
    return why === undefined ? undefined : notTheOne(place, why)
  } catch (error) {
    return error instanceof HaError ? error : notTheOne(place, describeError(error))
  }
}

/** OpenSSL says so when the certificate of the other side is not of our authority, or not of this time. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'INVALID_PURPOSE',
])

function explain(place: TlsPlace, error: NodeJS.ErrnoException): Error {
  return UNTRUSTED.has(error.code ?? '')
    ? notTheOne(place, `its certificate is not accepted (${error.message})`)
    : error
}

function notTheOne(place: TlsPlace, why: string): HaError {
  return new HaError('CERTIFICATE_REFUSED', `${describePlace(place)} is not who it should be: ${why}`, {
    hint: 'Check the address, and the clocks of both hosts.',
  })
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`it answered more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(place: TlsPlace, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HaError('HOST_UNREACHABLE', `${describePlace(place)} answers something that is not JSON`, { cause })
  }
}

/** The certificates that the other side shows, its own first. */
function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(new X509Certificate(next.raw))
    // The authority is the issuer of itself.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}

const CHAIN_MAX = 4

async function endOf(socket: TLSSocket): Promise<never> {
  await once(socket, 'close')
  throw new Error('the connection was closed')
}

function describePlace({ address, port }: TlsPlace): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
