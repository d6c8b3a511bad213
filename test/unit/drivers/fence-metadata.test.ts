import { describe, expect, it } from 'vitest'
import { optionProblems, plugNamesOf, readMetadata } from '../../../src/framework/drivers/fence/read-metadata.ts'

const TEXT = `<?xml version="1.0" ?>
<resource-agent name="fence_apc" shortdesc="Fence agent for APC over telnet/ssh" >
<parameters>
	<parameter name="action" unique="0" required="1">
		<getopt mixed="-o, --action=[action]" />
	</parameter>
	<parameter name="ip" unique="0" required="1" obsoletes="ipaddr"></parameter>
	<parameter name="ipaddr" unique="0" required="1" deprecated="1"></parameter>
	<parameter name="plug" unique="0" required="1" obsoletes="port"></parameter>
	<parameter name="port" unique="0" required="1" deprecated="1"></parameter>
	<parameter name="secure" unique="0" required="0"></parameter>
</parameters>
<actions>
	<action name="off" />
	<action name="status" />
</actions>
</resource-agent>`

function read() {
  const metadata = readMetadata(TEXT)
  if (metadata === undefined) throw new Error('it is metadata')
  return metadata
}

describe('the metadata of a fence agent', () => {
  it('names options and actions', () => {
    const { parameters, actions } = read()
    expect(parameters.map(({ name }) => name)).toEqual(['action', 'ip', 'ipaddr', 'plug', 'port', 'secure'])
    expect(parameters[1]).toEqual({ name: 'ip', isRequired: true, isDeprecated: false, obsoletes: 'ipaddr' })
    expect(actions).toEqual(['off', 'status'])
    expect(plugNamesOf(read())).toEqual(['plug'])
  })

  it('is not what any other program prints', () => {
    expect(readMetadata('usage: fence [off|on]')).toBeUndefined()
    expect(readMetadata('')).toBeUndefined()
  })

  it('refuses options that the agent would only warn of, and misses those that it needs', () => {
    expect(optionProblems(read(), ['ip', 'secure'])).toEqual([])
    expect(optionProblems(read(), ['ipaddr'])).toEqual([])
    expect(optionProblems(read(), ['secur'])).toEqual([
      "it has no option 'secur' (but 'secure')",
      "its option 'ip' is required and not given",
    ])
    expect(optionProblems(read(), ['ip', 'plug'])).toEqual([
      "its option 'plug' is given by Haven itself (a plug is configured by host)",
    ])
  })

  it('of an agent that knows no plug names none, and of one that tells nothing both names', () => {
    expect(plugNamesOf({ parameters: [], actions: [] })).toEqual([])
    expect(plugNamesOf(undefined)).toEqual(['plug', 'port'])
  })
})
