import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get, type IncomingHttpHeaders, request } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { bundleOptions } from '../../../../scripts/bundle-options.mjs'
import { readPidFile } from '../../../../src/methods/kits/pid-file.ts'
import { isAlive, readProcess } from '../../../../src/methods/proc.ts'
import { eventually } from '../../../eventually.ts'

const top = resolve(import.meta.dirname, '../../../..')
/** A bound for a slow and busy machine. */
export const WITHIN_MS = 10_000

/** An address that no other test uses. */
export const ADDRESS = '127.80.0.1'

/** What came back. */
export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How a program ended. */
export interface Ended {
  readonly code: number | null
  readonly stderr: string
}

/** An installation with the http data service alone, and a HAVEN_ROOT below which logical hosts are. The blank in its path is part of the test. */
export class HttpService {
  readonly directory: string
  readonly root: string
  private readonly servers: ChildProcess[] = []

  private constructor(directory: string) {
    this.directory = directory
    this.root = join(directory, 'a root')
  }

  static async create(): Promise<HttpService> {
    const service = new HttpService(mkdtempSync(join(tmpdir(), 'haven-http-')))
    cpSync(join(top, 'dataservices/http'), join(service.directory, 'dataservices/http'), { recursive: true })
    cpSync(join(top, 'src/methods/kits/haven-method.sh'), join(service.directory, 'bin/haven-method.sh'))
    const entryPoints = { 'http-server': join(top, 'dataservices/http/server.ts') }
    await build({ ...bundleOptions, entryPoints, outdir: join(service.directory, 'dist') })
    mkdirSync(service.root)
    return service
  }

  /** Ends what was started, and removes everything. */
  remove(logicalHosts: readonly string[] = []): void {
    for (const logicalHost of logicalHosts) {
      const pid = this.pid(logicalHost)
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
    }
    for (const server of this.servers) server.kill('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Makes the disk group of a logical host with a page, and the settings of the service; empty settings = no such file. */
  makeLogicalHost(logicalHost: string, settings: string): string {
    const prefix = join(this.root, logicalHost)
    mkdirSync(join(prefix, 'htdocs'), { recursive: true })
    mkdirSync(join(prefix, 'http'), { recursive: true })
    writeFileSync(join(prefix, 'htdocs/index.html'), `page of ${logicalHost}`)
    if (settings !== '') writeFileSync(join(prefix, 'http/http.conf'), settings)
    return prefix
  }

  /** Calls a method as Haven does. */
  call(program: 'start-net' | 'stop-net', mastered: string, notMastered: string): Ended {
    const { status, stderr } = spawnSync(
      join(this.directory, 'dataservices/http', program),
      [mastered, notMastered, '10'],
      {
        cwd: '/',
        encoding: 'utf8',
        env: {
          PATH: `${join(this.directory, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
          HAVEN_ROOT: this.root,
          HA_PHYSICAL_HOST: 'alpha',
        },
      },
    )
    return { code: status, stderr }
  }

  /** The server of a logical host; undefined = none runs. */
  pid(logicalHost: string): number | undefined {
    return readPidFile(join(this.root, logicalHost, 'http/run/pid'))
  }

  /** Starts the server itself; `serving` resolves when it answers. */
  start(words: readonly string[]): { readonly server: ChildProcess; readonly ended: Promise<Ended> } {
    const server = spawn(process.execPath, [join(this.directory, 'dist/http-server.mjs'), ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.servers.push(server)
    let stderr = ''
    server.stderr?.on('data', (text: Buffer) => {
      stderr += text
    })
    return { server, ended: new Promise((done) => server.once('close', (code) => done({ code, stderr }))) }
  }
}

/** Waits until a file is there. */
export async function exists(path: string): Promise<void> {
  await eventually(`${path} to be there`, WITHIN_MS, () => (existsSync(path) ? true : undefined))
}

/** Waits until a process has ended. */
export async function gone(pid: number): Promise<void> {
  await eventually(`process ${pid} to end`, WITHIN_MS, () => {
    const facts = readProcess(pid)
    return facts === undefined || !isAlive(facts) ? true : undefined
  })
}

/** Asks once, on a connection of its own. The path is sent as it is. */
export function ask(port: number, path: string, method = 'GET', address = ADDRESS): Promise<Answer> {
  return new Promise((done, reject) => {
    const options = { host: address, port, path, method, agent: false }
    request(options, (response) => {
      let body = ''
      response.on('data', (text: Buffer) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, body }))
    })
      .on('error', reject)
      .end()
  })
}

/** Asks, and does something as soon as the first piece of the answer is there. Resolves with the bytes that came; rejects when the answer was cut off. */
export function askSlowly(port: number, path: string, meanwhile: () => void): Promise<number> {
  return new Promise((done, reject) => {
    get({ host: ADDRESS, port, path, agent: false }, (response) => {
      let bytes = 0
      response.once('data', () => {
        response.pause()
        meanwhile()
        response.resume()
      })
      response.on('data', (piece: Buffer) => {
        bytes += piece.length
      })
      response.on('error', reject)
      response.on('end', () => done(bytes))
    }).on('error', reject)
  })
}

/** Finds a port that is free on the address. */
export async function freePort(address = ADDRESS): Promise<number> {
  const { server, port } = await occupyPort(address)
  await new Promise((done) => server.close(done))
  return port
}

/** Listens on a free port of the address. */
export function occupyPort(address = ADDRESS): Promise<{ readonly server: Server; readonly port: number }> {
  return new Promise((done, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, address, () => {
      const place = server.address()
      done({ server, port: place !== null && typeof place === 'object' ? place.port : 0 })
    })
  })
}

/** The text of a file. */
export const textOf = (path: string): string => readFileSync(path, 'utf8')
