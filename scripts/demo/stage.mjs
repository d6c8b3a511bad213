// @ts-check
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * A physical host of the demo. `root`: its HAVEN_ROOT. `key`: names its processes and cgroups, as `hostKey` of src/methods/scope-names.ts.
 * @typedef {{ name: string, root: string, key: string }} Host
 *
 * Everything that the demo uses on this machine. `cgroups`: where Haven may have made cgroups for the hosts.
 * @typedef {{
 *   installation: string, directory: string, diskGroup: string, database: string, temporary: string,
 *   cluster: string, address: string, port: number, alpha: Host, beta: Host, hosts: Host[], cgroups: string[],
 * }} Stage
 */

const top = fileURLToPath(new URL('../..', import.meta.url))
const CLUSTER = 'demo'
/** The path of a socket may have 107 characters; clustd puts `/alpha/run/haven/clustd.sock` behind the directory of the demo. */
const DIRECTORY_LENGTH_MAX = 60

/**
 * Makes the directory of the demo and finds an address of its own, so that several demos do not disturb each other.
 * @returns {Promise<Stage>}
 */
export async function makeStage() {
  const installation = resolve(top)
  if (!existsSync(join(installation, 'dist/clustd.mjs')))
    throw new Error('Haven is not built here: run npm ci, or npm run build.')
  const base = await realpath(tmpdir())
  const directory = await mkdtemp(join(base.length > DIRECTORY_LENGTH_MAX ? '/tmp' : base, 'haven-demo-'))
  const [alpha, beta] = [makeHost(directory, 'alpha'), makeHost(directory, 'beta')]
  const stage = {
    installation,
    directory,
    diskGroup: join(directory, 'web-data'),
    database: join(directory, 'database'),
    temporary: join(directory, 'tmp'),
    cluster: CLUSTER,
    ...(await freePlace()),
    alpha,
    beta,
    hosts: [alpha, beta],
    cgroups: [alpha, beta].flatMap(({ key }) => cgroupPlaces().map((place) => join(place, 'haven', key))),
  }
  for (const path of [stage.diskGroup, stage.temporary, alpha.root, beta.root]) await mkdir(path)
  return stage
}

/**
 * Removes the directory of the demo.
 * @param {Stage} stage
 */
export async function closeStage({ directory }) {
  await rm(directory, { recursive: true, force: true })
}

/**
 * The environment of a command at a physical host: a clean one, so that the demo is the same for everybody. Hosts of one machine keep who has
 * which address in TMPDIR; with its own, the demo leaves nothing in that of the machine.
 * @param {Stage} stage
 * @param {Host} host
 * @returns {Record<string, string>}
 */
export function environmentOf(stage, host) {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME, USER } = process.env
  return {
    PATH: [join(stage.installation, 'bin'), dirname(process.execPath), PATH].join(':'),
    LANG: 'C.UTF-8',
    TMPDIR: stage.temporary,
    HAVEN_ROOT: host.root,
    ...(HOME === undefined ? {} : { HOME }),
    ...(USER === undefined ? {} : { USER }),
  }
}

/**
 * Names the processes and cgroups of a host, as Haven does.
 * @param {string} root
 * @param {string} name
 */
export function keyOf(root, name) {
  const mark = createHash('sha256')
    .update(`${root}\0${readlinkSync('/proc/self/ns/pid')}`)
    .digest('hex')
    .slice(0, 8)
  return `${CLUSTER}:${name}@${mark}`
}

/** @param {string} directory @param {string} name @returns {Host} */
function makeHost(directory, name) {
  const root = join(directory, name)
  return { name, root, key: keyOf(root, name) }
}

/** Every address in 127/8 is there on every Linux; one out of 60,000 that nobody else is likely to use. */
async function freePlace() {
  const part = () => 1 + Math.floor(Math.random() * 250)
  const address = `127.77.${part()}.${part()}`
  return { address, port: await freePort(address) }
}

/** @param {string} address @returns {Promise<number>} */
function freePort(address) {
  return new Promise((done, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, address, () => {
      const place = server.address()
      server.close(() => done(place !== null && typeof place === 'object' ? place.port : 0))
    })
  })
}

/** The tops of the cgroup v2 hierarchies of this machine, and the cgroups that we are in: Haven makes its own below the first that it may write. */
function cgroupPlaces() {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/'
  const steps = own.split('/').filter((step) => step !== '')
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, mountPoint = '', type] = line.split(' ')
      if (type !== 'cgroup2') return []
      return [mountPoint, ...steps.map((_, index) => join(mountPoint, ...steps.slice(0, index + 1)))]
    })
}
