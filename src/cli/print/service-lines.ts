import type { MethodJson, ServiceJson, ServicesJson } from '../../framework/api/wire.ts'
import { quoteWord } from './shell-quote.ts'

/** Writes the registered services, one per line: name, `on` or `off`. */
export function servicesLines({ services }: ServicesJson): readonly string[] {
  return services.map(({ name, state }) => `${name}  ${state}`)
}

/** Writes a registration as the command that would make it again. */
export function registrationLines(service: ServiceJson): readonly string[] {
  const pairs = (read: (method: MethodJson) => string | number): string =>
    service.methods.map((method) => `${method.method}=${read(method)}`).join(',')
  const parts = [
    ['-m', pairs(({ program }) => belowBase(program, service.baseDirectory))],
    ['-t', pairs(({ timeoutS }) => timeoutS)],
    // Always there: left out it would mean all logical hosts that there are then.
    ['-h', service.logicalHosts.join(',')],
    ...optionalPart('-b', service.baseDirectory),
    ...optionalPart('-d', service.dependsOn.join(',')),
    ...optionalPart('-v', service.version),
    ...optionalPart('-a', service.apiVersion),
    ...optionalPart('-p', service.packages.join(',')),
  ]
  const written = parts.map(([option = '', value = '']) => `${option} ${quoteWord(value)}`)
  return [`hareg -r ${quoteWord(service.name)}`, ...written].map(
    (part, index, all) => `${index === 0 ? '' : '  '}${part}${index === all.length - 1 ? '' : ' \\'}`,
  )
}

// As it was typed: hareg joins them again.
function belowBase(program: string, base: string): string {
  return base !== '' && program.startsWith(`${base}/`) ? program.slice(base.length + 1) : program
}

function optionalPart(option: string, value: string): readonly (readonly [string, string])[] {
  return value === '' ? [] : [[option, value]]
}
