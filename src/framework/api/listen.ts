import { chmod, mkdir, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { HaError } from '../errors/ha-error.ts'

/** Bytes of the path of a UNIX socket, at most: `sun_path` of unix(7) without its end. A longer one would be cut off silently. */
export const SOCKET_PATH_BYTES_MAX = 107

/**
 * Answers the API on a UNIX socket that only this user may open. A socket that a dead clustd left behind is removed; one that somebody
 * answers on is not.
 *
 * Throws `LIMIT_REACHED` when the path is too long, `CLUSTD_RUNNING` when somebody answers there.
 */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  refuseLongPath(path)
  // Closed to others from the beginning: between the bind and the chmod the socket itself would be open to them.
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await removeStale(path)
  await app.listen({ path })
  await chmod(path, 0o600)
}

function refuseLongPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= SOCKET_PATH_BYTES_MAX) return
  throw new HaError('LIMIT_REACHED', `the path of the socket ${path} is ${bytes} bytes long`, {
    hint: `UNIX sockets have paths of at most ${SOCKET_PATH_BYTES_MAX} bytes: choose a shorter HAVEN_ROOT.`,
  })
}

async function removeStale(path: string): Promise<void> {
  const answer = await knock(path)
  if (answer === 'somebody') throw new HaError('CLUSTD_RUNNING', `a clustd answers at ${path} already`)
  if (answer === 'nobody') await unlink(path)
}

/** Finds out who listens. Connecting to a UNIX socket succeeds or fails at once. */
function knock(path: string): Promise<'somebody' | 'nobody' | 'no socket'> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('somebody')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve('no socket')
      else if (error.code === 'ECONNREFUSED' || error.code === 'ENOTSOCK') resolve('nobody')
      else reject(error)
    })
  })
}
