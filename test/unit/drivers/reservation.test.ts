import { describe, expect, it } from 'vitest'
import {
  findSharedNumber,
  hostNumber,
  parseReservationKey,
  reservationKey,
  writeKey,
} from '../../../src/framework/drivers/disk-group/reservation-key.ts'
import {
  parseCapabilities,
  parseHolder,
  parseKeys,
  reservableDisk,
} from '../../../src/framework/drivers/disk-group/reservation-program.ts'
import type { RunCommand } from '../../../src/framework/drivers/run-command.ts'

const HEAD = '  IET       VIRTUAL-DISK      0001\n  Peripheral device type: disk\n'

describe('the key of a reservation', () => {
  const made = { cluster: 'demo', physicalHost: 'alpha', state: 'held', life: 7 } as const

  it('names its owner, and is another one for each life, host, cluster and state', () => {
    const key = reservationKey(made)
    expect(writeKey(key)).toMatch(/^0x[0-9a-f]{10,11}a00007$|^0x[0-9a-f]{1,10}a00007$/)
    expect(parseReservationKey(key)).toMatchObject({ hostNumber: hostNumber('alpha'), state: 'held', life: 7 })
    const others = [{ life: 8 }, { physicalHost: 'beta' }, { cluster: 'other' }, { state: 'free' as const }]
    const keys = [key, ...others.map((other) => reservationKey({ ...made, ...other }))]
    expect(new Set(keys).size).toBe(5)
  })

  it('has 64 bits and is never zero, whatever the incarnation', () => {
    for (const life of [0, 2 ** 20 - 1, 2 ** 20, Number.MAX_SAFE_INTEGER]) {
      const key = reservationKey({ ...made, life })
      expect(key).toBeGreaterThan(0n)
      expect(key).toBeLessThan(2n ** 64n)
      expect(parseReservationKey(key)?.life).toBe(life % 2 ** 20)
    }
  })

  it('of others is not taken for one', () => {
    expect(parseReservationKey(0n)).toBeUndefined()
    expect(parseReservationKey(0x1234n)).toBeUndefined()
  })

  it('cannot tell all hosts apart, which is found out', () => {
    expect(findSharedNumber(['alpha', 'beta', 'alpha'])).toBeUndefined()
    // So many that two share a number.
    const names = Array.from({ length: 20_000 }, (_, index) => `h${index}`)
    const [one = '', other = ''] = findSharedNumber(names) ?? []
    expect(one).not.toBe(other)
    expect(hostNumber(one)).toBe(hostNumber(other))
  })
})

describe('what sg_persist prints', () => {
  it('is read as keys', () => {
    expect(parseKeys(`${HEAD}  PR generation=0x6, there are NO registered reservation keys\n`)).toEqual([])
    expect(
      parseKeys(`${HEAD}  PR generation=0x1, 1 registered reservation key follows:\n    0xabc0000000000001\n`),
    ).toEqual([0xabc0000000000001n])
    expect(parseKeys(`${HEAD}  PR generation=0x2, 2 registered reservation keys follow:\n    0x1\n    0xb1\n`)).toEqual(
      [1n, 0xb1n],
    )
  })

  it.each(['', HEAD, `${HEAD}  PR generation=0x2, 2 registered reservation keys follow:\n    0x1\n`])(
    'is refused as keys when it is %j',
    (text) => {
      expect(() => parseKeys(text)).toThrow('not understood')
    },
  )

  it('is read as a reservation', () => {
    expect(parseHolder(`${HEAD}  PR generation=0x0, there is NO reservation held\n`)).toBeUndefined()
    const text = `${HEAD}  PR generation=0x2, Reservation follows:\n    Key=0xabc0000000000001\n    scope: LU_SCOPE,  type: Write Exclusive, registrants only\n`
    expect(parseHolder(text)).toBe(0xabc0000000000001n)
    expect(() => parseHolder(text.replace('registrants only', 'all registrants'))).toThrow("not Haven's")
    expect(() => parseHolder(HEAD)).toThrow('not understood')
  })

  it('is read as what a disk offers', () => {
    const text = `Report capabilities response:\n  Persist Through Power Loss Capable(PTPL_C): 1\n  Type Mask Valid(TMV): 1\n    Support indicated in Type mask:\n      Write Exclusive, all registrants: 1\n      Write Exclusive, registrants only: 0\n`
    expect(parseCapabilities(text)).toEqual({ persistsThroughPowerLoss: true, hasType: false })
    expect(parseCapabilities(text.replace('(TMV): 1', '(TMV): 0'))).toMatchObject({ hasType: undefined })
  })
})

describe('a disk', () => {
  it('is asked again when it had something to report, but not for ever', async () => {
    let reports = 3
    const run: RunCommand = () => {
      const isReport = reports > 0
      reports -= 1
      return Promise.resolve({ exitCode: isReport ? 6 : 24, stdout: '', stderr: 'Unit Attention' })
    }
    const disk = reservableDisk('/dev/x', { program: 'sg_persist', run, signal: new AbortController().signal })
    expect(await disk.reserve(1n)).toBe('conflict')
    reports = 100
    await expect(disk.reserve(1n)).rejects.toThrow('reports again and again')
  })
})
