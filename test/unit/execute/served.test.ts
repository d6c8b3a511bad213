import { describe, expect, it } from 'vitest'
import { Served } from '../../../src/framework/execute/served.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { smallState } from './small-state.ts'

const alpha = parseName('physicalHost', 'alpha')
const beta = parseName('physicalHost', 'beta')
const ha1 = parseName('logicalHost', 'ha1')
const ha2 = parseName('logicalHost', 'ha2')
const web = { name: parseName('dataService', 'web'), logicalHosts: [ha1, ha2] }

describe('the lists of a method', () => {
  it('begin with nothing on a host that masters nothing', () => {
    expect(new Served(smallState(), beta).lists(web, 'FM_START', ha1)).toEqual(['', 'ha1,ha2'])
  })

  it('begin with what a host masters that carries on', () => {
    expect(new Served(smallState(), alpha).lists(web, 'FM_START', ha1)).toEqual(['ha1,ha2', ''])
  })

  it('begin without what was being taken on: that begins again', () => {
    const state = smallState([
      { kind: 'takingOn', by: alpha, uncleanOn: [] },
      { kind: 'mastered', by: alpha },
    ])
    expect(new Served(state, alpha).lists(web, 'FM_CHECK', ha1)).toEqual(['ha2', 'ha1'])
  })

  it('name the logical host as served from its START on, and as not served from its STOP_NET on', () => {
    const served = new Served(smallState(), beta)
    expect(served.lists(web, 'START', ha2)).toEqual(['ha2', 'ha1'])
    expect(served.lists(web, 'START_NET', ha2)).toEqual(['ha2', 'ha1'])
    // A monitor that is stopped hears that its logical host is none to serve; the service still serves it.
    expect(served.lists(web, 'FM_STOP', ha2)).toEqual(['', 'ha1,ha2'])
    expect(served.lists(web, 'FM_CHECK', ha2)).toEqual(['ha2', 'ha1'])
    expect(served.lists(web, 'STOP_NET', ha2)).toEqual(['', 'ha1,ha2'])
    expect(served.lists(web, 'STOP', ha2)).toEqual(['', 'ha1,ha2'])
    expect(served.lists(web, 'ABORT', ha2)).toEqual(['', 'ha1,ha2'])
  })

  it('name a logical host that the service is no longer configured on', () => {
    const served = new Served(smallState(), alpha)
    expect(served.lists({ ...web, logicalHosts: [ha2] }, 'STOP', ha1)).toEqual(['ha2', 'ha1'])
  })

  it('forget what was released', () => {
    const served = new Served(smallState(), alpha)
    served.forget(ha1)
    expect(served.lists(web, 'FM_CHECK', ha2)).toEqual(['ha2', 'ha1'])
  })
})
