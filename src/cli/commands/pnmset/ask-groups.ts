import { HaError } from '../../../framework/errors/ha-error.ts'

/** A backup group, as it was typed. */
export interface TypedGroup {
  readonly name: string
  /** The preferred one first; at least one. */
  readonly adapters: readonly string[]
  /** Absent: nothing was typed, and it shows from the adapters. */
  readonly network?: string
}

/** What whoever is asked is told. */
export interface Known {
  readonly host: string
  readonly groups: readonly { readonly name: string; readonly network: string; readonly adapters: readonly string[] }[]
  /** Of the machine that this runs on; empty for another host, or when nothing is known. */
  readonly adapters: readonly string[]
  /** Those for clients. */
  readonly networks: readonly string[]
}

type Ask = (question: string) => Promise<string>

/** Answers to one question that make no sense, after which it is given up. */
const TRIES_MAX = 5
/** More than a host may have. */
const GROUPS_MAX = 64

/** Asks for the backup groups of a host, as the classic pnmset does. Throws `ABORTED` when it is not wanted, or not understood. */
export async function askGroups(ask: Ask, known: Known): Promise<readonly TypedGroup[]> {
  const { host, groups, adapters } = known
  const present = groups.map((group) => `  ${group.name}: ${group.adapters.join(' ')} (network ${group.network})\n`)
  const question = [
    `Backup groups of ${host}:${present.length === 0 ? ' none.\n' : `\n${present.join('')}`}`,
    ...(adapters.length === 0 ? [] : [`Adapters of this machine: ${adapters.join(' ')}\n`]),
    'Groups that are not named stay as they are. Do you want to continue? [y/n]: ',
  ].join('')
  const goesOn = await askFor(ask, question, (text) => (/^(y|yes|n|no)$/i.test(text) ? text.toLowerCase() : undefined))
  if (!goesOn.startsWith('y')) throw nothingDone()
  const count = await askFor(ask, 'How many backup groups do you want to configure? [1]: ', (text) => {
    const number = text === '' ? 1 : readNumber(text)
    return number !== undefined && number >= 1 && number <= GROUPS_MAX ? number : undefined
  })
  const typed: TypedGroup[] = []
  while (typed.length < count) typed.push(await askGroup(ask, known, typed))
  return typed
}

async function askGroup(ask: Ask, { groups, networks }: Known, typed: readonly TypedGroup[]): Promise<TypedGroup> {
  const isTyped = (name: string): boolean => typed.some((group) => group.name === name)
  const next = Array.from({ length: 2 * GROUPS_MAX }, (_, number) => number).find((number) => !isTyped(nameOf(number)))
  const name = await askFor(ask, `Number or name of the backup group [${next}]: `, (text) => {
    const number = text === '' ? next : readNumber(text)
    const wanted = number === undefined ? text : nameOf(number)
    return isTyped(wanted) ? undefined : wanted
  })
  const before = groups.find((group) => group.name === name)
  const default_ = before === undefined ? '' : ` [${before.adapters.join(' ')}]`
  const adapters = await askFor(ask, `All adapters of ${name}, the preferred one first${default_}: `, (text) => {
    const names = text.split(/[\s,]+/).filter((word) => word !== '')
    return names.length > 0 ? names : before?.adapters
  })
  if (networks.length < 2) return { name, adapters }
  const network = await askFor(ask, `Its network (${networks.join(', ')}) [that of its adapters]: `, (text) =>
    text === '' || networks.includes(text) ? text : undefined,
  )
  return { name, adapters, ...(network !== '' && { network }) }
}

/** Asks until the answer makes sense. */
async function askFor<Value>(ask: Ask, question: string, read: (text: string) => Value | undefined): Promise<Value> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const value = read((await ask(question)).trim())
    if (value !== undefined) return value
  }
  throw nothingDone()
}

function readNumber(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined
}

function nameOf(number: number | undefined): string {
  return `nafo${number}`
}

function nothingDone(): HaError {
  return new HaError('ABORTED', 'nothing was done')
}
