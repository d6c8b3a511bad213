import { expect, it } from 'vitest'
import { settleSoon } from '../../../src/framework/drivers/settle-soon.ts'

const atOnce = { sleep: () => Promise.resolve() }
const never = { sleep: () => new Promise<void>(() => undefined) }

it('hands on what the work ended with', async () => {
  const { signal } = new AbortController()
  expect(await settleSoon(atOnce, signal, () => Promise.resolve(1))).toBe(1)
  await expect(settleSoon(atOnce, signal, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})

it('does not wait for work that hangs after the signal has aborted', async () => {
  const controller = new AbortController()
  const settling = settleSoon(atOnce, controller.signal, () => new Promise(() => undefined))
  controller.abort(new Error('time is up'))
  await expect(settling).rejects.toThrow('time is up')
})

it('lets work end by itself after the signal has aborted', async () => {
  const controller = new AbortController()
  let finish: (value: string) => void = () => undefined
  const settling = settleSoon(never, controller.signal, () => new Promise<string>((resolve) => (finish = resolve)))
  controller.abort(new Error('time is up'))
  finish('done')
  expect(await settling).toBe('done')
})

it('does not begin when the signal has aborted', async () => {
  const begun: string[] = []
  const work = (): Promise<void> => Promise.resolve(void begun.push('begun'))
  await expect(settleSoon(atOnce, AbortSignal.abort(new Error('too late')), work)).rejects.toThrow('too late')
  expect(begun).toEqual([])
})
