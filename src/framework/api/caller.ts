import type { FastifyRequest } from 'fastify'
import type { AdmittedRole } from '../model/admission.ts'

/** Who asks. */
export type Caller =
  /** Somebody who may open the socket of this host: everything is allowed. */
  | { readonly kind: 'local' }
  /** A host or a witness of the cluster, by its certificate. */
  | { readonly kind: 'admitted'; readonly name: string; readonly role: AdmittedRole }
  /** The same with a certificate whose time is over: it may ask for the next one. */
  | { readonly kind: 'expired'; readonly name: string; readonly role: AdmittedRole }
  /** Somebody who shows no certificate, or one that is worth nothing; `why`: a sentence without a full stop. */
  | { readonly kind: 'stranger'; readonly why: string }

/** Tells who asks over a connection. */
export type Identify = (request: Pick<FastifyRequest, 'raw'>) => Caller

/** Everybody who reaches the socket of this host. */
export const LOCAL_CALLER: Caller = { kind: 'local' }
