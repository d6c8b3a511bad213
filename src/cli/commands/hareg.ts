import { join } from 'node:path'
import type { RegisterRequest } from '../../framework/api/wire.ts'
import { defineCommand, formsOf, JSON_OPTION } from '../command/define-command.ts'
import { printAnswer, printJson, printLine } from '../context.ts'
import { carryOut } from '../follow/carry-out.ts'
import { showConfigured } from '../follow/show-configured.ts'
import { registrationLines, servicesLines } from '../print/service-lines.ts'
import { queriedValues } from './hareg/queried-values.ts'
import { parseTimeouts, readShippedService } from './hareg/registration.ts'

const options = {
  register: { kind: 'text', letter: 'r', value: 'SERVICE', describe: 'register a data service under this name' },
  methods: { kind: 'pairs', letter: 'm', value: 'METHOD=PATH', completes: 'method', describe: 'its programs' },
  baseDirectory: {
    kind: 'text',
    letter: 'b',
    value: 'DIRECTORY',
    completes: 'directory',
    describe: 'where paths that are not absolute begin',
  },
  timeouts: {
    kind: 'pairs',
    letter: 't',
    value: 'METHOD=SECONDS',
    completes: 'method',
    describe: 'how long each may take; default 60',
  },
  dependsOn: {
    kind: 'list',
    letter: 'd',
    value: 'SERVICE',
    completes: 'service',
    describe: 'services that start before it and stop after it, on the same logical host',
  },
  logicalHosts: {
    kind: 'list',
    letter: 'h',
    value: 'LOGICALHOST',
    completes: 'logical-host',
    describe: 'where it is configured; default: on all logical hosts that there are now',
  },
  serviceVersion: { kind: 'text', letter: 'v', value: 'VERSION', describe: 'version of the data service' },
  apiVersion: { kind: 'text', letter: 'a', value: 'VERSION', describe: 'version of the API that it was written for' },
  packages: { kind: 'list', letter: 'p', value: 'PACKAGE', describe: 'packages that it is made of' },
  shipped: { kind: 'flag', letter: 's', describe: 'a data service that comes with Haven: all else is known' },
  unregister: {
    kind: 'text',
    letter: 'u',
    value: 'SERVICE',
    completes: 'service',
    describe: 'unregister a data service that is off',
  },
  query: {
    kind: 'text',
    letter: 'q',
    value: 'SERVICE',
    completes: 'service',
    describe: 'print how it is registered, as a command that registers it',
  },
  queryMethod: {
    kind: 'text',
    letter: 'M',
    value: 'METHOD',
    completes: 'method',
    describe: 'print the path of a method',
  },
  queryTimeout: {
    kind: 'text',
    letter: 'T',
    value: 'METHOD',
    completes: 'method',
    describe: 'print the seconds that a method may take',
  },
  queryDependencies: { kind: 'flag', letter: 'D', describe: 'print the services that it depends on' },
  queryVersion: { kind: 'flag', letter: 'V', describe: 'print its version' },
  queryApiVersion: { kind: 'flag', letter: 'A', describe: 'print its API version' },
  queryPackages: { kind: 'flag', letter: 'P', describe: 'print its packages' },
  queryBase: { kind: 'flag', letter: 'B', describe: 'print its base directory' },
  on: { kind: 'list', letter: 'y', value: 'SERVICE', completes: 'service', describe: 'switch on' },
  off: { kind: 'list', letter: 'n', value: 'SERVICE', completes: 'service', describe: 'switch off' },
  allOn: { kind: 'flag', letter: 'Y', describe: 'switch all registered data services on' },
  allOff: { kind: 'flag', letter: 'N', describe: 'switch all registered data services off' },
  plan: { kind: 'flag', long: 'plan', describe: 'do nothing; show what would be done' },
  json: JSON_OPTION,
} as const

const form = formsOf(options)

const register = form({
  summary: 'register a data service; it is off at first',
  selectedBy: ['register'],
  required: ['methods'],
  optional: [
    'baseDirectory',
    'timeouts',
    'dependsOn',
    'logicalHosts',
    'serviceVersion',
    'apiVersion',
    'packages',
    'json',
  ],
  run: async ({ options: given }, context) => {
    const request: RegisterRequest = {
      name: given.register ?? '',
      methods: given.methods ?? {},
      ...(given.timeouts !== undefined && { timeoutsS: parseTimeouts(given.timeouts) }),
      ...(given.baseDirectory !== undefined && { baseDirectory: given.baseDirectory }),
      ...(given.dependsOn !== undefined && { dependsOn: given.dependsOn }),
      ...(given.logicalHosts !== undefined && { logicalHosts: given.logicalHosts }),
      ...(given.serviceVersion !== undefined && { version: given.serviceVersion }),
      ...(given.apiVersion !== undefined && { apiVersion: given.apiVersion }),
      ...(given.packages !== undefined && { packages: given.packages }),
    }
    return showConfigured(context, await context.api.register(request))
  },
})

const registerShipped = form({
  summary: 'register a data service that comes with Haven',
  selectedBy: ['shipped', 'register'],
  optional: ['logicalHosts', 'json'],
  run: async ({ options: given }, context) => {
    const shipped = await readShippedService(join(context.installation, 'dataservices'), given.register ?? '')
    const logicalHosts = given.logicalHosts
    const request = { ...shipped, ...(logicalHosts !== undefined && { logicalHosts }) }
    return showConfigured(context, await context.api.register(request))
  },
})

const query = form({
  summary: 'print how a data service is registered, or one part of it',
  selectedBy: ['query'],
  optional: ['json'],
  atMostOneOf: [
    'queryMethod',
    'queryTimeout',
    'queryDependencies',
    'queryVersion',
    'queryApiVersion',
    'queryPackages',
    'queryBase',
  ],
  run: async ({ options: given }, context) => {
    const service = await context.api.service(given.query ?? '')
    const values = queriedValues(service, given)
    if (values === undefined) printAnswer(context, service, registrationLines)
    else if (context.json) printJson(context, { values })
    else for (const value of values) printLine(context, value)
    return 0
  },
})

export const hareg = defineCommand({
  name: 'hareg',
  summary: 'register data services, and switch them on and off',
  description: [
    'A data service is registered once, with the programs (methods) that Haven calls: START, START_NET, STOP, STOP_NET, ABORT, ABORT_NET, FM_INIT, ' +
      'FM_START, FM_STOP, FM_CHECK; any of them may be left out. The registration survives switchovers, takeovers and reboots.',
    'A data service is off until it is switched on; then it runs wherever one of its logical hosts is mastered. It must be off to be unregistered.',
    'Without arguments all registered data services are listed, one per line, with on or off.',
  ],
  options,
  examples: [
    {
      line: 'hareg -r web -b /opt/web -m START_NET=start,STOP_NET=stop -t STOP_NET=30 -h ha1',
      describe: 'Register a data service on the logical host ha1.',
    },
    { line: 'hareg -s -r http -h ha1', describe: 'Register the web server that comes with Haven.' },
    { line: 'hareg -y web', describe: 'Switch it on.' },
    { line: 'hareg -q web', describe: 'Print the command that registers it as it is.' },
    { line: 'hareg -n web && hareg -u web', describe: 'Switch it off and forget it.' },
  ],
  forms: [
    register,
    registerShipped,
    form({
      summary: 'unregister a data service',
      selectedBy: ['unregister'],
      optional: ['json'],
      run: async ({ options: given }, context) =>
        showConfigured(context, await context.api.unregister(given.unregister ?? '')),
    }),
    query,
    form({
      summary: 'switch data services on',
      selectedBy: ['on'],
      optional: ['plan', 'json'],
      run: ({ options: given }, context) => carryOut(context, { kind: 'services-on', services: given.on ?? [] }, given),
    }),
    form({
      summary: 'switch data services off',
      selectedBy: ['off'],
      optional: ['plan', 'json'],
      run: ({ options: given }, context) =>
        carryOut(context, { kind: 'services-off', services: given.off ?? [] }, given),
    }),
    form({
      summary: 'switch all data services on',
      selectedBy: ['allOn'],
      optional: ['plan', 'json'],
      run: ({ options: given }, context) => carryOut(context, { kind: 'services-on', services: [] }, given),
    }),
    form({
      summary: 'switch all data services off',
      selectedBy: ['allOff'],
      optional: ['plan', 'json'],
      run: ({ options: given }, context) => carryOut(context, { kind: 'services-off', services: [] }, given),
    }),
    form({
      summary: 'list the registered data services',
      optional: ['json'],
      run: async (_given, context) => {
        printAnswer(context, await context.api.services(), servicesLines)
        return 0
      },
    }),
  ],
})
