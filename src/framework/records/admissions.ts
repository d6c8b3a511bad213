import type { Admission, Authority, JoinToken } from '../model/admission.ts'
import { CopiedMap } from './copied-map.ts'
import type { Decoded } from './decode.ts'

type AdmissionRecord = Extract<Decoded, { kind: 'authority' | 'admission' | 'joinToken' }>

/** Who belongs to the cluster, and who may join it. */
export class Admissions {
  readonly #byName = new CopiedMap<string, Admission>()
  readonly #tokens = new CopiedMap<string, JoinToken>()
  #authority: Authority | undefined

  /** The authority of the cluster; undefined = it has no certificates. */
  get authority(): Authority | undefined {
    return this.#authority
  }

  /** By the name of the host or witness; also those that were evicted. */
  byName(): ReadonlyMap<string, Admission> {
    return this.#byName.handOut()
  }

  /** By their ids; also those that were used or have expired. */
  tokens(): ReadonlyMap<string, JoinToken> {
    return this.#tokens.handOut()
  }

  put(record: AdmissionRecord): void {
    if (record.kind === 'authority') this.#authority = record.value
    else if (record.kind === 'admission') this.#byName.set(record.value.name, record.value)
    else this.#tokens.set(record.value.id, record.value)
  }

  /** `name`: the key after its folder. */
  forget(kind: AdmissionRecord['kind'], name: string): void {
    if (kind === 'authority') this.#authority = undefined
    else if (kind === 'admission') this.#byName.delete(name)
    else this.#tokens.delete(name)
  }
}
