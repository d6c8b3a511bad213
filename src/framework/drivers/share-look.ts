/**
 * Makes one look at the machine serve all who ask for it before it begins. Whoever asks while one runs shares the one after it, so that each answer rests on
 * what was there after its question; twenty logical hosts that move together cost two looks.
 */
export function shareLook<Found>(look: () => Promise<Found>): () => Promise<Found> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<Found> | undefined
  return () => {
    next ??= running.then(() => {
      next = undefined
      const found = look()
      running = found.catch(() => undefined) // Whoever asked is told.
      return found
    })
    return next
  }
}
