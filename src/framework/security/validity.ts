const DAY_MS = 24 * 3_600_000

/** How long the authority is valid: longer than a cluster lives without being set up anew. */
export const AUTHORITY_VALID_MS = 20 * 365 * DAY_MS
/** How long a certificate of a host is valid. */
export const CERTIFICATE_VALID_MS = 90 * DAY_MS
/** Certificates are valid from so long before they were made: clocks of hosts differ by that much at most. */
export const CLOCK_SKEW_MS_MAX = 3_600_000

/** Tells whether it is time for the next certificate: a third of its time, or less, is left. One whose time is over is due too. */
export function isRenewalDue(
  certificate: { readonly validFromWallMs: number; readonly validUntilWallMs: number },
  nowWallMs: number,
): boolean {
  const { validFromWallMs, validUntilWallMs } = certificate
  const lifeMs = validUntilWallMs - (validFromWallMs + CLOCK_SKEW_MS_MAX)
  return validUntilWallMs - nowWallMs <= lifeMs / 3
}
