import { createReadStream } from 'node:fs'
import { realpath, rename, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
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

/** What the server was told. `servedBy`: what every answer says in X-Served-By; undefined = nothing. `ready`: the file that says when it serves. */
interface Settings {
  readonly address: string
  readonly port: number
  readonly root: string
  readonly ready: string | undefined
  readonly servedBy: string | undefined
}

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

async function answer({ root, servedBy }: Settings, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (servedBy !== undefined) response.setHeader('x-served-by', servedBy)
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405)
  const found = await findFile(root, request.url ?? '/')
  if (found.kind === 'none') return refuse(response, found.status)
  response.writeHead(200, {
    'content-type': TYPES[extname(found.path).toLowerCase()] ?? 'application/octet-stream',
    'content-length': found.size,
    'last-modified': found.changed.toUTCString(),
    'cache-control': 'no-cache',
  })
  if (request.method === 'HEAD' || found.size === 0) return void response.end()
  sendFile(found, response)
}

/** Sends as much as was announced: a file that grows meanwhile is cut there, and one that shrinks breaks the connection, so that nobody takes it for whole. */
function sendFile({ path, size }: { readonly path: string; readonly size: number }, response: ServerResponse): void {
  const file = createReadStream(path, { end: size - 1 })
  file.on('error', () => response.destroy())
  file.on('end', () => (file.bytesRead < size ? response.destroy() : response.end()))
  response.on('close', () => file.destroy())
  file.pipe(response, { end: false })
}

function refuse(response: ServerResponse, status: 400 | 404 | 405): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  response.end(`${status}\n`)
}

async function serve(settings: Settings): Promise<void> {
  const { address, port, root, ready } = settings
  const server = createServer((request, response) => void answer(settings, request, response))
  server.maxConnections = CONNECTIONS_MAX
  server.setTimeout(IDLE_TIMEOUT_MS)
  server.on('error', (error) => complain(`cannot serve ${root} on ${address} port ${port}: ${error.message}`, 1))
  server.listen({ host: address, port, exclusive: true }, () => {
    process.stderr.write(`serving ${root} on ${address} port ${port}\n`)
    if (ready !== undefined) void tellReady(ready).catch((error: Error) => complain(error.message, 1))
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      server.close()
      server.closeAllConnections()
    })
  }
}

/** Whoever started it waits for this file: START_NET may return only when the address answers. */
async function tellReady(path: string): Promise<void> {
  await writeFile(`${path}.new`, `${process.pid}\n`)
  await rename(`${path}.new`, path)
}

/** Reads the arguments. Returns what is wrong with them. */
async function readSettings(): Promise<Settings | string> {
  const { values } = parseArgs({
    options: {
      address: { type: 'string', default: '' },
      port: { type: 'string', default: '' },
      root: { type: 'string', default: '' },
      ready: { type: 'string' },
      'served-by': { type: 'string' },
    },
  })
  const { address, port, root, ready, 'served-by': servedBy } = values
  // An empty address would be every address of the machine: also those of other logical hosts.
  if (isIP(address) === 0) return `the address must be an IP address, not '${address}'`
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    return `the port must be 1 to 65535, not '${port}'`
  if (root === '') return 'there is no folder to serve'
  const folder = await realpath(resolve(root)).catch(() => undefined)
  if (folder === undefined || !(await stat(folder)).isDirectory()) return `there is no folder ${root}`
  return { address, port: Number(port), root: folder, ready, servedBy: servedBy === '' ? undefined : servedBy }
}

function complain(message: string, exitCode: number): void {
  process.stderr.write(`${message}\n`)
  process.exitCode = exitCode
}

const settings = await readSettings()
if (typeof settings === 'string') complain(settings, 2)
else await serve(settings)
