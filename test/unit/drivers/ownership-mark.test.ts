import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Owner, OwnershipMark, refuseHeld } from '../../../src/framework/drivers/ownership-mark.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'

describe('the ownership mark', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'haven-mark-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const hostOf = (physicalHost: string) => ({
    cluster: 'test',
    physicalHost,
    root: '/',
    scope: `test:${physicalHost}`,
    effects: createRealEffects(),
  })
  const markOf = (physicalHost: string): OwnershipMark =>
    new OwnershipMark(hostOf(physicalHost), { directory: join(directory, 'mark'), what: 'dg1' })
  const never = (owner: Owner): never => {
    throw new Error(`held by ${owner.physicalHost}`)
  }
  const always = (): void => undefined

  it('belongs to nobody, then to one, then to nobody', async () => {
    const mark = markOf('h1')
    expect(await mark.read()).toEqual({ sequence: 0, owner: undefined })
    await mark.take(never)
    expect((await mark.read()).owner).toMatchObject({ cluster: 'test', what: 'dg1', physicalHost: 'h1', root: '/' })
    await mark.release()
    expect(await mark.read()).toEqual({ sequence: 2, owner: undefined })
  })

  it('leaves one file, however often it changes hands', async () => {
    for (let round = 0; round < 5; round += 1) {
      await markOf('h1').take(always)
      await markOf('h2').take(always)
      await markOf('h2').release()
    }
    expect(readdirSync(join(directory, 'mark'))).toEqual(['15'])
  })

  it('lets exactly one of many win that find it free', async () => {
    for (let round = 0; round < 20; round += 1) {
      const marks = ['h1', 'h2', 'h3', 'h4'].map(markOf)
      const outcomes = await Promise.allSettled(marks.map((mark) => mark.take(never)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await Promise.all(marks.map((mark) => mark.release()))
    }
  })

  it('lets exactly one of many win that would take it from the same lost host', async () => {
    for (let round = 0; round < 20; round += 1) {
      await markOf('lost').take(always)
      const onlyFromLost = (owner: Owner): void => {
        if (owner.physicalHost !== 'lost') throw new Error(`held by ${owner.physicalHost}`)
      }
      const marks = ['h1', 'h2', 'h3', 'h4'].map(markOf)
      const outcomes = await Promise.allSettled(marks.map((mark) => mark.take(onlyFromLost)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await Promise.all(marks.map((mark) => mark.release()))
    }
  })

  it('does not release what another host has taken', async () => {
    await markOf('h1').take(never)
    await markOf('h2').take(always)
    await markOf('h1').release()
    expect((await markOf('h1').read()).owner?.physicalHost).toBe('h2')
  })

  it('says which file cannot be understood', async () => {
    await markOf('h1').take(never)
    writeFileSync(join(directory, 'mark', '7'), '{"owner":{"physicalHost":5}}')
    await expect(markOf('h1').read()).rejects.toThrow(join(directory, 'mark', '7'))
  })

  it('is forced on a lost host of this cluster and for this disk group only', () => {
    const owner: Owner = { cluster: 'test', what: 'dg1', physicalHost: 'h2', root: '/', since: '' }
    const refuse = (found: Partial<Owner>, force: boolean) => () =>
      refuseHeld(hostOf('h1'), { diskGroup: 'dg1', owner: { ...owner, ...found }, where: '/mark', force })
    expect(refuse({}, false)).toThrow(/owned by physical host 'h2'/)
    expect(refuse({}, true)).not.toThrow()
    expect(refuse({ cluster: 'other' }, true)).toThrow(/of cluster 'other'/)
    expect(refuse({ what: 'dg2' }, true)).toThrow(/as disk group 'dg2'/)
  })
})
