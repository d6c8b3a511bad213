import type { LogicalHost } from '../model/cluster-config.ts'
import type { DiskGroupName } from '../model/names.ts'
import { mountPointOf } from '../plan/steps.ts'
import { isWithin } from './check-disk-groups.ts'
import type { Configuration } from './configuration.ts'
import type { Problem, ProblemPath } from './problem.ts'

/**
 * Directories of the system: mounting over one of them takes a machine down. Logical hosts and disk groups are mounted at `/NAME`, so
 * these are also names that they cannot have. What lies below `/home`, `/media`, `/mnt`, `/opt`, `/srv`, `/usr` and `/var` is allowed.
 */
const SYSTEM_DIRECTORIES = [
  'bin',
  'boot',
  'dev',
  'etc',
  'home',
  'lib',
  'lib32',
  'lib64',
  'libx32',
  'lost+found',
  'media',
  'mnt',
  'opt',
  'proc',
  'root',
  'run',
  'sbin',
  'srv',
  'sys',
  'tmp',
  'usr',
  'var',
] as const
/** Those that nothing may be mounted below either, `/var/lib/haven` and `/var/log/haven` because the daemon writes there. */
const SYSTEM_TREES = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/sys',
  '/usr/bin',
  '/usr/lib',
  '/usr/sbin',
  '/var/lib/haven',
  '/var/log/haven',
] as const
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...SYSTEM_DIRECTORIES.map((name) => `/${name}`),
  '/var/lib',
  '/var/log',
  '/usr/local',
  '/usr/share',
])

interface Mount {
  readonly point: string
  readonly of: string
  readonly path: ProblemPath
  /** Mounts of one disk group may lie below each other, as they are mounted in order. */
  readonly diskGroup: DiskGroupName
}

/** Finds mount points that hide the system or each other: any two logical hosts may be mastered by the same physical host. */
export function checkMountPoints(configuration: Configuration): readonly Problem[] {
  const mounts = [...configuration.logicalHosts.values()].flatMap((logicalHost) => mountsOf(configuration, logicalHost))
  return [...mounts.flatMap(checkSystem), ...findCollisions(mounts)]
}

function mountsOf({ diskGroups }: Configuration, logicalHost: LogicalHost): readonly Mount[] {
  return logicalHost.diskGroups.flatMap((name, index): readonly Mount[] => {
    const group = diskGroups.get(name)
    const of = `disk group ${name} of logical host ${logicalHost.name}`
    const own = { point: mountPointOf(logicalHost, name), of, diskGroup: name }
    const ownPath = ['logicalHosts', logicalHost.name, 'diskGroups', index]
    if (group === undefined) return []
    if (group.kind === 'directory') return [{ ...own, path: ownPath }]
    return group.fileSystems.map((fileSystem, position) =>
      fileSystem.mountPoint === ''
        ? { ...own, path: ownPath }
        : { ...own, point: fileSystem.mountPoint, path: ['diskGroups', name, 'filesystems', position, 'mountPoint'] },
    )
  })
}

function checkSystem(mount: Mount): readonly Problem[] {
  if (!FORBIDDEN.has(mount.point) && !SYSTEM_TREES.some((tree) => isWithin(mount.point, tree))) return []
  const message = `${mount.of} would be mounted at ${mount.point}, which belongs to the system`
  const hint = 'Give the logical host or disk group another name, or the file system another mount point.'
  return [{ code: 'CONFIG_INVALID', path: mount.path, message, hint }]
}

function findCollisions(mounts: readonly Mount[]): readonly Problem[] {
  const seen = new Map<string, Mount>()
  const twice = mounts.flatMap((mount) => {
    const other = seen.get(mount.point)
    if (other === undefined) seen.set(mount.point, mount)
    return other === undefined ? [] : [collision(mount, other)]
  })
  return [...twice, ...[...seen.values()].flatMap((mount) => findHidden(mount, seen))]
}

/** A mount point below that of another disk group would be there or not, depending on which of the two is mounted first. */
function findHidden(mount: Mount, seen: ReadonlyMap<string, Mount>): readonly Problem[] {
  const parents = mount.point.split('/').map((_, index, parts) => parts.slice(0, index).join('/'))
  const above = parents.map((parent) => seen.get(parent)).find((other) => other !== undefined)
  return above === undefined || above.diskGroup === mount.diskGroup ? [] : [collision(mount, above)]
}

function collision(mount: Mount, other: Mount): Problem {
  const where = mount.point === other.point ? 'which is also that' : `below ${other.point}, which is that`
  return {
    code: 'CONFIG_INVALID',
    path: mount.path,
    message: `${mount.of} would be mounted at ${mount.point}, ${where} of ${other.of}`,
  }
}
