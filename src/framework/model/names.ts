import { HaError } from '../errors/ha-error.ts'

declare const brand: unique symbol
type Brand<Name extends string> = string & { readonly [brand]: Name }

/** A machine configured in the cluster. */
export type PhysicalHostName = Brand<'PhysicalHostName'>
/** The unit that moves: disk groups + logical addresses + the data services on them. */
export type LogicalHostName = Brand<'LogicalHostName'>
/** Storage that a logical host owns. */
export type DiskGroupName = Brand<'DiskGroupName'>
/** A registered application. */
export type DataServiceName = Brand<'DataServiceName'>
/** A network that hosts are connected to. */
export type NetworkName = Brand<'NetworkName'>
/** Something that can fence hosts. */
export type FenceDeviceName = Brand<'FenceDeviceName'>
/** The cluster itself. */
export type ClusterName = Brand<'ClusterName'>

/** What each kind of name is called in messages. */
const KINDS = {
  physicalHost: 'physical host',
  logicalHost: 'logical host',
  diskGroup: 'disk group',
  dataService: 'data service',
  network: 'network',
  fenceDevice: 'fence device',
  cluster: 'cluster',
} as const

/** The type that parsing a name of a kind yields. */
interface NameOf {
  readonly physicalHost: PhysicalHostName
  readonly logicalHost: LogicalHostName
  readonly diskGroup: DiskGroupName
  readonly dataService: DataServiceName
  readonly network: NetworkName
  readonly fenceDevice: FenceDeviceName
  readonly cluster: ClusterName
}

/** A kind of name. */
export type NameKind = keyof NameOf

/** As long as a DNS label, because names become host names, directories, cgroups and record keys. */
export const NAME_LENGTH_MAX = 63

// No comma, slash or space: names are joined by commas in argv[1] and argv[2] of the methods and become parts of paths and record keys.
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** Tells whether `text` may be a name of any kind. */
export function isName(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX && NAME.test(text)
}

/**
 * Makes a name of the given kind out of text from outside; the only way to get one.
 *
 * Throws `NAME_INVALID` when it is empty, longer than 63 characters or holds anything but letters, digits, dot, dash and underscore.
 */
export function parseName<Kind extends NameKind>(kind: Kind, text: string): NameOf[Kind] {
  if (!isName(text)) {
    throw new HaError('NAME_INVALID', `'${text}' cannot be the name of a ${KINDS[kind]}`, {
      hint: `Use 1 to ${NAME_LENGTH_MAX} letters, digits, dots, dashes or underscores, beginning with a letter or digit.`,
    })
  }
  return text as NameOf[Kind]
}
