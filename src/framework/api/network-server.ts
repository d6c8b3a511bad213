import { constants } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import Fastify, { type FastifyInstance } from 'fastify'

/** What a host proves itself with to those who connect; PEM. */
export interface NetworkTls {
  readonly key: string
  /** Its certificate, and that of the authority after it. */
  readonly certificate: string
  /** What others are checked against. */
  readonly authority: string
}

/** Connections at the same time: every host of the largest cluster, several times. */
const CONNECTIONS_MAX = 512
/** Connections that have not proved anything yet; the oldest one makes room for the next. */
const HANDSHAKES_MAX = 128
/** Connections of one certificate, and of all who show none, which are machines that join. */
const CONNECTIONS_EACH_MAX = 32
/** A handshake is two ways over the network and a signature. */
const HANDSHAKE_MS = 5_000
const HEADERS_MS = 5_000
const REQUEST_MS = 15_000
/** A host that asks now and then need not connect each time. */
const KEEP_ALIVE_MS = 60_000
const HEADER_BYTES_MAX = 16 * 1024
const CHECK_EVERY_MS = 1_000

/** Bytes of a request over the network, at most: a join has about two thousand. */
export const NETWORK_BODY_BYTES_MAX = 1024 * 1024

/** A server for the API over the network, and what has to be done with it beside listening. */
export interface NetworkServer {
  readonly server: Server
  /** Shows another certificate from now on. Connections that are there stay. */
  renew(tls: NetworkTls): void
  /** Ends all connections. */
  endConnections(): void
}

type Handler = Parameters<typeof createServer>[1]

/**
 * Makes the server: TLS 1.3, and everybody is asked for a certificate. Whoever shows none, or one that is worth nothing, gets through the handshake all
 * the same: what he may ask is decided for each request, so that he is told why not.
 */
export function createNetworkServer(tls: NetworkTls, handler: Handler): NetworkServer {
  const server = createServer(
    {
      ...contextOf(tls),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_MS,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    handler,
  )
  server.maxConnections = CONNECTIONS_MAX
  const endConnections = watchConnections(server)
  return { server, renew: (next) => server.setSecureContext(contextOf(next)), endConnections }
}

/** Builds a Fastify instance on such a server. The rest of the code need not know that it speaks TLS. */
export function fastifyOn(make: (handler: Handler) => Server, options: object): FastifyInstance {
  const app = Fastify({ ...options, serverFactory: (handler) => make(handler as Handler) })
  return app as unknown as FastifyInstance
}

function contextOf({ key, certificate, authority }: NetworkTls) {
  // No tickets: each connection proves itself anew, and nothing that was handed out earlier counts.
  const secureOptions = constants.SSL_OP_NO_TICKET
  return { key, cert: certificate, ca: authority, minVersion: 'TLSv1.3' as const, secureOptions }
}

/** Keeps whoever only holds connections open from keeping others out: the oldest goes. Returns what ends them all. */
function watchConnections(server: Server): () => void {
  const handshakes = new Map<string, Socket>()
  const byPeer = new Map<string, Map<string, Socket>>()
  server.on('connection', (socket: Socket) => keepNewest(handshakes, socket, HANDSHAKES_MAX))
  server.on('secureConnection', (socket: TLSSocket) => {
    handshakes.delete(placeOf(socket))
    const peer = socket.authorized ? (socket.getPeerX509Certificate()?.fingerprint256 ?? '') : ''
    const own = byPeer.get(peer) ?? new Map<string, Socket>()
    byPeer.set(peer, own)
    keepNewest(own, socket, CONNECTIONS_EACH_MAX)
    socket.once('close', () => {
      if (own.size === 0) byPeer.delete(peer)
    })
  })
  return () => {
    for (const socket of handshakes.values()) socket.destroy()
    server.closeAllConnections()
  }
}

function keepNewest(connections: Map<string, Socket>, newest: Socket, max: number): void {
  const place = placeOf(newest)
  connections.set(place, newest)
  newest.once('close', () => connections.delete(place))
  if (connections.size <= max) return
  // A map keeps its order: the first one is the oldest.
  const [oldest] = connections.values()
  oldest?.destroy()
}

/** Names a connection before and after its handshake, which are two sockets for Node.js. */
function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
