import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'

/** Long enough to look twice, short enough to wait for in vain. */
const shortMs = 60
const longMs = 5_000

describe('eventually', () => {
  it('returns what the first look found', async () => {
    let looks = 0
    const found = await eventually('an answer', longMs, () => {
      looks += 1
      return 42
    })
    expect({ found, looks }).toEqual({ found: 42, looks: 1 })
  })

  it('looks again until there is something', async () => {
    let looks = 0
    const found = await eventually('the third look', longMs, async () => {
      looks += 1
      return looks < 3 ? undefined : `look ${looks}`
    })
    expect(found).toBe('look 3')
  })

  it.each([false, 0, '', null])('takes %j for an answer', async (answer) => {
    expect(await eventually('anything', longMs, () => answer)).toBe(answer)
  })

  it('goes on after a probe that threw', async () => {
    let looks = 0
    const found = await eventually('the socket', longMs, () => {
      looks += 1
      if (looks === 1) throw new Error('no such socket')
      return 'connected'
    })
    expect(found).toBe('connected')
  })

  it('looks at least once, however short the time', async () => {
    expect(await eventually('something that is there', 0, () => 'there')).toBe('there')
  })

  it('looks once more when the time is over', async () => {
    const deadline = performance.now() + shortMs
    const found = await eventually('the end of the time', shortMs, () => performance.now() >= deadline || undefined)
    expect(found).toBe(true)
  })

  it('says what it waited for and what it last saw', async () => {
    let looks = 0
    const wait = eventually('lh1 to be mastered by beta', shortMs, (saw) => {
      looks += 1
      saw({ lh1: { kind: 'takingOn', by: `beta, look ${looks}` } })
      return undefined
    })
    const error = await failure(wait)
    expect(error.message).toContain(`waited ${shortMs} ms for lh1 to be mastered by beta, in vain`)
    expect(error.message).toContain(`last saw: { lh1: { kind: 'takingOn', by: 'beta, look ${looks}' } }`)
  })

  it('shows a text as it is', async () => {
    const error = await failure(
      eventually('a line', shortMs, (saw) => {
        saw('line one\nline two')
        return undefined
      }),
    )
    expect(error.message).toContain('last saw: line one\nline two')
  })

  it('shows what the last probe threw, also as the cause', async () => {
    const refused = new Error('connection refused')
    const error = await failure(
      eventually('an answer', shortMs, () => {
        throw refused
      }),
    )
    expect(error.message).toContain('the last probe threw: Error: connection refused')
    expect(error.cause).toBe(refused)
  })

  it('forgets an error that a later look did not meet again', async () => {
    let looks = 0
    const error = await failure(
      eventually('an answer', shortMs, () => {
        looks += 1
        if (looks === 1) throw new Error('too early')
        return undefined
      }),
    )
    expect(error.message).not.toContain('too early')
  })

  it('does not wait for a probe that never comes back', async () => {
    const error = await failure(eventually('an answer', shortMs, () => new Promise<string>(() => {})))
    expect(error.message).toContain('waited 60 ms for an answer, in vain (1 look)')
    expect(error.message).toContain('the last probe did not come back in that time')
  })
})

async function failure(wait: Promise<unknown>): Promise<Error> {
  return wait.then(
    (found) => {
      throw new Error(`found ${String(found)}, but nothing was there to be found`)
    },
    (error: unknown) => error as Error,
  )
}
