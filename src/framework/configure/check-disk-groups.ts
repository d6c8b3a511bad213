import { type DiskGroup, RESERVATION_PROGRAM_DEFAULT } from '../model/cluster-config.ts'
import type { Configuration } from './configuration.ts'
import { PARTS_MAX, TEXT_LENGTH_MAX } from './limits.ts'
import type { Problem, ProblemPath } from './problem.ts'

/** Finds what is wrong with the disk groups themselves: paths that are none, and storage that two of them claim. */
export function checkDiskGroups({ diskGroups }: Configuration): readonly Problem[] {
  const groups = [...diskGroups.values()]
  return [...groups.flatMap(checkDiskGroup), ...findShared(groups)]
}

/** Tells whether a path is absolute and written in the one way that can be compared: no `.`, `..`, `//`, or `/` at its end. */
export function isPlainPath(path: string): boolean {
  // A control character in a path is a mistake, and could change what a listing or a log line says.
  const isPrintable = [...path].every((char) => char >= ' ' && char !== '\u007f')
  if (!path.startsWith('/') || path.length > TEXT_LENGTH_MAX || !isPrintable) return false
  return path
    .slice(1)
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..')
}

/** Tells whether a path is that of the other, or below it. */
export function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}/`)
}

function checkDiskGroup(group: DiskGroup): readonly Problem[] {
  const at = ['diskGroups', group.name]
  if (group.kind === 'directory') return checkPath([...at, 'directory'], `disk group ${group.name}`, group.path)
  return [
    ...checkCount(group.fileSystems.length, [...at, 'filesystems'], group.name),
    ...checkReservation([...at, 'reservation'], group),
    ...group.fileSystems.flatMap((fileSystem, index) => {
      const here = [...at, 'filesystems', index]
      return [
        ...checkPath([...here, 'device'], `the device of disk group ${group.name}`, fileSystem.device),
        ...(fileSystem.mountPoint === ''
          ? []
          : checkPath([...here, 'mountPoint'], `the mount point of disk group ${group.name}`, fileSystem.mountPoint)),
        ...fileSystem.options.flatMap((option, position) => checkOption([...here, 'options', position], option)),
      ]
    }),
  ]
}

function checkPath(path: ProblemPath, what: string, text: string): readonly Problem[] {
  if (isPlainPath(text)) return []
  const hint = "Write an absolute path without '.', '..', double or trailing slashes."
  return [{ code: 'CONFIG_INVALID', path, message: `'${text}' cannot be ${what}`, hint }]
}

function checkReservation(
  path: ProblemPath,
  { name, reservation }: Extract<DiskGroup, { kind: 'filesystem' }>,
): readonly Problem[] {
  if (reservation === undefined || reservation.program === RESERVATION_PROGRAM_DEFAULT) return []
  return checkPath([...path, 'program'], `the program that reserves disk group ${name}`, reservation.program)
}

function checkCount(count: number, path: ProblemPath, name: string): readonly Problem[] {
  if (count === 0) return [{ code: 'CONFIG_INVALID', path, message: `disk group ${name} has no file system` }]
  if (count <= PARTS_MAX) return []
  return [
    { code: 'LIMIT_REACHED', path, message: `disk group ${name} has ${count} file systems; ${PARTS_MAX} are allowed` },
  ]
}

function checkOption(path: ProblemPath, option: string): readonly Problem[] {
  // mount(8) takes a list joined by commas: an option with a comma or a space is two, and one of them was not meant.
  if (/^[A-Za-z0-9_.=:/-]+$/.test(option)) return []
  return [{ code: 'CONFIG_INVALID', path, message: `'${option}' cannot be a mount option` }]
}

interface Claim {
  readonly group: string
  readonly what: string
  readonly path: ProblemPath
}

function findShared(groups: readonly DiskGroup[]): readonly Problem[] {
  const claims = groups.flatMap(claimsOf)
  return claims.flatMap((claim, index) => {
    const other = claims.slice(0, index).find(({ what }) => isWithin(what, claim.what) || isWithin(claim.what, what))
    if (other === undefined) return []
    const message = `${claim.what} of disk group ${claim.group} is ${other.what === claim.what ? 'also' : 'in the way of'} ${other.what} of disk group ${other.group}`
    return [{ code: 'CONFIG_INVALID' as const, path: claim.path, message }]
  })
}

function claimsOf(group: DiskGroup): readonly Claim[] {
  const at = ['diskGroups', group.name]
  if (group.kind === 'directory') return [{ group: group.name, what: group.path, path: [...at, 'directory'] }]
  return group.fileSystems.map(({ device }, index) => ({
    group: group.name,
    what: device,
    path: [...at, 'filesystems', index, 'device'],
  }))
}
