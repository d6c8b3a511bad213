import { HaError } from '../errors/ha-error.ts'
import type { Caller } from './caller.ts'

/** Who may ask for something over the network; each may ask for what those before it may. */
const LEVELS = ['anybody', 'expired', 'witness', 'host'] as const

/**
 * What can be asked over the network, and by whom. What is not in the table is for the operators of this host alone, on its socket: whoever may change,
 * move or read everything is root on one of the hosts, and there clustd asks the database and not another host. So a host whose keys are stolen is worth
 * no more than what stands here.
 */
export const OPEN_TO_NETWORK: Readonly<Record<string, (typeof LEVELS)[number]>> = {
  /** Says nothing but that somebody is there, and what time it is. */
  'GET /v1/ping': 'anybody',
  /** A machine that has a token and nothing else yet. */
  'POST /v1/join': 'anybody',
  /** A certificate for the key that the machine was let in with, and for no other one. */
  'POST /v1/renew': 'expired',
  'GET /v1/identity': 'witness',
  /** What is shown to look at; nothing of it is secret among hosts. */
  'GET /v1/status': 'host',
  'GET /v1/public-networks': 'host',
  'GET /v1/reconfigurations': 'host',
  'GET /v1/reconfigurations/:number': 'host',
  'GET /v1/reconfigurations/:number/follow': 'host',
  'GET /v1/logical-hosts/:name/explain': 'host',
  /** Hashes of programs, never their content. */
  'POST /v1/host/programs': 'host',
}

/** Throws `CERTIFICATE_REFUSED` when the caller may not ask for this; `route`: `METHOD /path`, undefined for a path that there is not. */
export function refuseByPolicy(caller: Caller, route: string | undefined): void {
  if (caller.kind === 'local') return
  const level = route === undefined ? undefined : OPEN_TO_NETWORK[route]
  if (level !== undefined && LEVELS.indexOf(levelOf(caller)) >= LEVELS.indexOf(level)) return
  if (caller.kind === 'stranger')
    throw new HaError('CERTIFICATE_REFUSED', caller.why, {
      hint: 'Machines of the cluster show a certificate; others join first: scadmin join',
    })
  if (caller.kind === 'expired')
    throw new HaError('CERTIFICATE_REFUSED', `the certificate of ${caller.name} has expired`, {
      hint: `It renews itself while clustd runs; check the clock of ${caller.name}.`,
    })
  if (route === undefined) return
  throw new HaError(
    'CERTIFICATE_REFUSED',
    `${route} is not for ${caller.role === 'host' ? 'other hosts' : 'witnesses'}`,
    {
      hint: 'Ask on the host itself.',
    },
  )
}

function levelOf(caller: Exclude<Caller, { kind: 'local' }>): (typeof LEVELS)[number] {
  switch (caller.kind) {
    case 'stranger':
      return 'anybody'
    case 'expired':
      return 'expired'
    case 'admitted':
      return caller.role
  }
}
