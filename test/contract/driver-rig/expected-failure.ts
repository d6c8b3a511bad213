import type { ErrorCode } from '../../../src/framework/errors/codes.ts'
import { isHaError } from '../../../src/framework/errors/ha-error.ts'

/** The code that a call is refused with; anything but an expected failure is thrown on. */
export async function codeOf(call: Promise<unknown>): Promise<ErrorCode | 'nothing'> {
  try {
    await call
    return 'nothing'
  } catch (error) {
    if (isHaError(error)) return error.code
    throw error
  }
}
