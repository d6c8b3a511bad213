import { HaError } from '../errors/ha-error.ts'
import {
  type DiskGroup,
  type DiskReservation,
  type FileSystem,
  RESERVATION_PROGRAM_DEFAULT,
} from '../model/cluster-config.ts'
import { type DiskGroupName, parseName } from '../model/names.ts'

const FORMS =
  'directory:/path, or filesystem:/dev/x:ext4[:/mount/point[:option+option]] (ext4 or xfs; may be given several times), then perhaps reservation:scsi-3[:/program].'

/**
 * Makes a disk group of the words of `scconf C --disk-group DG --define WORD...`.
 * Throws `NAME_INVALID`, and `CONFIG_INVALID` for what is not of one of the forms. The meaning of paths is checked with the whole configuration.
 */
export function parseDiskGroup(name: string, definitions: readonly string[]): DiskGroup {
  const parsedName = parseName('diskGroup', name)
  const [first, ...others] = definitions
  if (first === undefined) throw badDefinition(name, 'nothing')
  if (!first.startsWith('directory:')) return parseFileSystems(parsedName, definitions)
  if (others.length > 0) throw badDefinition(name, others.join(' '), 'A directory is a whole disk group.')
  return parseDirectory(parsedName, first.slice('directory:'.length))
}

function parseDirectory(name: DiskGroupName, path: string): DiskGroup {
  return { kind: 'directory', name, path }
}

function parseFileSystems(name: DiskGroupName, definitions: readonly string[]): DiskGroup {
  const last = definitions.at(-1) ?? ''
  const isReserved = definitions.length > 1 && last.startsWith('reservation:')
  const fileSystems = isReserved ? definitions.slice(0, -1) : definitions
  return {
    kind: 'filesystem',
    name,
    fileSystems: fileSystems.map((text) => parseFileSystem(name, text)),
    ...(isReserved && { reservation: parseReservation(name, last) }),
  }
}

function parseReservation(name: string, text: string): DiskReservation {
  const [, type, program = RESERVATION_PROGRAM_DEFAULT, ...rest] = text.split(':')
  if (type !== 'scsi-3' || rest.length > 0) throw badDefinition(name, text)
  return { program }
}

function parseFileSystem(name: string, text: string): FileSystem {
  const [kind, device = '', type, mountPoint = '', options = '', ...rest] = text.split(':')
  if (kind !== 'filesystem' || (type !== 'ext4' && type !== 'xfs') || rest.length > 0) throw badDefinition(name, text)
  return { device, type, mountPoint, options: options.split('+').filter((option) => option !== '') }
}

function badDefinition(name: string, text: string, why = ''): HaError {
  return new HaError('CONFIG_INVALID', `disk group ${name} cannot be defined by '${text}'`, {
    hint: `${why === '' ? '' : `${why} `}Write: ${FORMS}`,
  })
}
