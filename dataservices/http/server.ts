import { createReadStream } from 'node:fs'
import { realpath, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'

// A small web server for static files: what the http data service runs on a logical host. It reads nothing but the folder it is given,
// and keeps nothing in memory, so it can be ended at any moment and started elsewhere.

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** A client that sends nothing for this long is cut off; the limit keeps slow ones from using up all connections. */
const IDLE_TIMEOUT_MS = 30_000
const CONNECTIONS_MAX = 1_000

/** Where a request leads: a file of the folder, or a status that says why not. */
type Found =
  | { readonly kind: 'file'; readonly path: string; readonly size: number; readonly changed: Date }
  | { readonly kind: 'none'; readonly status: 400 | 404 }

async function findFile(root: string, url: string): Promise<Found> {
  const path = decodePath(url)
  if (path === undefined) return { kind: 'none', status: 400 }
  const wanted = join(root, normalize(path.endsWith('/') ? `${path}index.html` : path))
  try {
    // Symbolic links may not lead out of the folder either.
    const real = await realpath(wanted)
    const facts = await stat(real)
    if (!real.startsWith(root + sep) || !facts.isFile()) return { kind: 'none', status: 404 }
    return { kind: 'file', path: real, size: facts.size, changed: facts.mtime }
  } catch {
    // Absent, unreadable, or gone between two calls: the same to a client.
    return { kind: 'none', status: 404 }
  }
}

function decodePath(url: string): string | undefined {
  try {
    const path = decodeURIComponent(url.split('?')[0] ?? '')
    return path.startsWith('/') && !path.includes('\0') ? path : undefined
  } catch {
    return undefined
  }
}

async function answer(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405)
  const found = await findFile(root, request.url ?? '/')
  if (found.kind === 'none') return refuse(response, found.status)
  response.writeHead(200, {
    'content-type': TYPES[extname(found.path).toLowerCase()] ?? 'application/octet-stream',
    'content-length': found.size,
    'last-modified': found.changed.toUTCString(),
    'cache-control': 'no-cache',
  })
  if (request.method === 'HEAD') return void response.end()
  createReadStream(found.path)
    .on('error', () => response.destroy())
    .pipe(response)
}

function refuse(response: ServerResponse, status: 400 | 404 | 405): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  response.end(`${status}\n`)
}

const { values } = parseArgs({
  options: {
    address: { type: 'string' },
    port: { type: 'string' },
    root: { type: 'string' },
    ready: { type: 'string' },
  },
})
const { address, port, root, ready } = values
if (address === undefined || port === undefined || root === undefined) {
  process.stderr.write('usage: http-server --address ADDRESS --port PORT --root FOLDER [--ready FILE]\n')
  process.exitCode = 2
} else {
  const folder = await realpath(resolve(root))
  const server = createServer((request, response) => void answer(folder, request, response))
  server.maxConnections = CONNECTIONS_MAX
  server.setTimeout(IDLE_TIMEOUT_MS)
  server.on('error', (error) => {
    process.stderr.write(`cannot serve ${folder} on ${address} port ${port}: ${error.message}\n`)
    process.exitCode = 1
  })
  server.listen({ host: address, port: Number(port), exclusive: true }, () => {
    process.stderr.write(`serving ${folder} on ${address} port ${port}\n`)
    // Whoever started it waits for this file: START_NET may return only when the address answers.
    if (ready !== undefined) void writeFile(ready, `${process.pid}\n`)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      server.close()
      server.closeAllConnections()
    })
  }
}
