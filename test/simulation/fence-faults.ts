import { parseName } from '../../src/framework/model/names.ts'
import type { Target } from './faults.ts'
import type { Random } from './random.ts'

/** Lets an operator have a host fenced, or say that it is off. He is honest: he has looked at it, and it stays off while he says so. */
export function doSomethingToFence({ hosts, tell }: Target, random: Random): void {
  const asked = random.pick(hosts)
  const { machine } = random.pick(hosts)
  const host = parseName('physicalHost', machine.name)
  const order = { host, operator: 'operator', reason: 'drawn' }
  const refused = (error: unknown): void => tell(`refused: ${error instanceof Error ? error.message : String(error)}`)
  if (!machine.isOn) {
    tell(`asked of ${asked.machine.name}: ${host} is off`)
    asked.loop?.services.confirmDown(order).then((number) => tell(`believed: reconfiguration ${number}`), refused)
  } else if (random.chance(0.3)) {
    tell(`asked of ${asked.machine.name}: fence ${host}`)
    const evenIfAlive = random.chance(0.5)
    asked.loop?.services.fence({ ...order, evenIfAlive }).then(({ reconfiguration }) => {
      tell(`fenced: reconfiguration ${reconfiguration}`)
    }, refused)
  }
}
