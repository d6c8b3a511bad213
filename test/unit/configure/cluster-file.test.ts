import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type ClusterFileVerdict, decideClusterFile } from '../../../src/framework/configure/cluster-file-decide.ts'
import { parseClusterFile } from '../../../src/framework/configure/cluster-file-parse.ts'
import { writeClusterFile } from '../../../src/framework/configure/cluster-file-write.ts'
import { type PlainValue, writeYaml } from '../../../src/framework/configure/write-yaml.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { demo, refusal, withService } from './fixture.ts'

const empty: ClusterState = {
  ...demo,
  physicalHosts: new Map(),
  diskGroups: new Map(),
  logicalHosts: new Map(),
  dataServices: new Map(),
  members: new Map(),
  states: new Map(),
}

function decide(state: ClusterState, text: string, prune = false): ClusterFileVerdict {
  return decideClusterFile(parseClusterFile(text, 'c.yaml'), state, prune)
}

describe('an exported cluster', () => {
  const [head = '', ...sections] = writeClusterFile(demo)
    .replace(/^#.*\n/gm, '')
    .trim()
    .split('\n\n')

  it('begins with its settings', () => {
    expect(head).toMatchInlineSnapshot(`
      "cluster:
        name: demo
        logicalHostTimeoutS: 180
        stepTimeoutS: 720
        syslogFacility: daemon
        timings:
          stampMs: 400
          guardMs: 1500
          abortMs: 400
          marginMs: 300
        heartbeats: {intervalMs: 50, suspectMs: 250}
        budgets:
          takeoversMax: 3
          takeoverWindowMs: 600000
          evictionsMax: 3
          evictionWindowMs: 60000
          parallelMovesMax: 16
        fencing:
          shareMax: 0.34
          windowMs: 600000
          delayMs: 0
          statusEveryMs: 60000
        rejoins: {rejoinsMax: 0, windowMs: 3600000}"
    `)
  })

  it('reads as people would write it', () => {
    expect(sections.join('\n\n')).toMatchInlineSnapshot(`
      "physicalHosts:
        alpha:
          publicNames: [alpha.example]
        beta:
          publicNames: [beta.example]

      diskGroups:
        dg1: {directory: /srv/dg1}
        dg2:
          filesystems:
            - device: /dev/vdb
              type: ext4
              options: [noatime]
        dg3: {directory: /srv/dg3}

      logicalHosts:
        ha1:
          physicalHosts: [alpha, beta]
          diskGroups: [dg1]
          addresses:
            - address: 127.1.0.1/32
          switchback: automatic
          onStuck: stay
        ha2:
          physicalHosts: [beta, alpha]
          diskGroups: [dg2]
          addresses:
            - address: 10.0.0.12/24
              adapters: {alpha: eth0, beta: eth1}
          switchback: manual
          onStuck: abort

      dataServices:
        web:
          state: on
          logicalHosts: [ha1]
          baseDirectory: /opt/web
          methods:
            START: {program: /opt/web/start, timeoutS: 60}
            STOP: {program: /opt/web/stop, timeoutS: 30}
          version: "1.0"
          apiVersion: "2.2"
          packages: [HAVweb]"
    `)
  })
})

describe('an exported cluster that is applied', () => {
  it('changes nothing when it is applied, pruned or not', () => {
    const nothing = { changes: [], requests: [], kept: [] }
    expect(decide(demo, writeClusterFile(demo))).toEqual(nothing)
    expect(decide(demo, writeClusterFile(demo), true)).toEqual(nothing)
  })

  it('is the same text whatever the order in memory', () => {
    const shuffled = { ...demo, logicalHosts: new Map([...demo.logicalHosts].toReversed()) }
    expect(writeClusterFile(shuffled)).toBe(writeClusterFile(demo))
  })

  it('makes the whole cluster anew out of nothing', () => {
    const { changes, requests } = decide(empty, writeClusterFile(demo))
    expect(changes.map(({ kind }) => kind)).toEqual([
      'put-physical-host',
      'put-physical-host',
      'put-disk-group',
      'put-disk-group',
      'put-disk-group',
      'put-logical-host',
      'put-logical-host',
      'put-data-service',
    ])
    expect(requests).toEqual([{ kind: 'services-on', services: ['web'] }])
  })
})

describe('the text of a value', () => {
  it('is read back as the same value, whatever it holds', () => {
    const word = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'on',
        'off',
        'yes',
        'null',
        '~',
        '1.0',
        '1e3',
        '0x1',
        '-',
        '- a',
        'a: b',
        'a #b',
        '*a',
        '&a',
        '!t',
        '|',
        '>',
        '%',
        '@',
        '`',
        ' a',
        'a ',
        '10.0.0.1/24',
        '::1',
        '2024-01-01',
        '=',
        '<<',
      ),
    )
    const leaf = fc.oneof(word, fc.integer({ min: 0, max: 1e9 }))
    const value = fc.letrec<{ any: PlainValue }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(word, tie('any'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).any
    fc.assert(
      fc.property(fc.dictionary(word, value, { maxKeys: 4, noNullPrototype: true }), (map) => {
        fc.pre(!JSON.stringify(map).includes('__proto__'))
        expect(parse(writeYaml(map)) ?? {}).toEqual(map)
      }),
      { numRuns: 300 },
    )
  })
})

describe('the examples', () => {
  const folder = resolve(import.meta.dirname, '../../../docs/examples')

  it.each(readdirSync(folder).filter((file) => file.endsWith('.yaml')))('%s is a sound cluster', (file) => {
    const { changes } = decide(empty, readFileSync(join(folder, file), 'utf8'))
    expect(changes.length).toBeGreaterThan(4)
  })
})

describe('what a file asks for', () => {
  const file = (services: string) => `cluster: {name: demo}\ndataServices:\n${services}`

  it('leaves sections alone that it does not have', () => {
    expect(decide(demo, 'cluster: {name: demo}', true)).toEqual({ changes: [], requests: [], kept: [] })
  })

  it('changes single settings of the cluster', () => {
    expect(decide(demo, 'cluster: {name: demo, stepTimeoutS: 800, timings: {stampMs: 300}}').changes).toMatchObject([
      {
        kind: 'cluster',
        cluster: { stepTimeoutS: 800, logicalHostTimeoutS: 180, timings: { stampMs: 300, guardMs: 1500 } },
      },
    ])
  })

  it('removes only when asked to prune, and names what it would remove', () => {
    const text =
      'cluster: {name: demo}\ndiskGroups:\n  dg1: {directory: /srv/dg1}\n  dg2: {filesystems: [{device: /dev/vdb, type: ext4, options: [noatime]}]}\n'
    expect(decide(demo, text)).toEqual({
      changes: [],
      requests: [],
      kept: [{ kind: 'remove', what: 'disk group dg3', lines: [], needsPrune: true }],
    })
    expect(decide(demo, text, true)).toEqual({
      changes: [{ kind: 'delete-disk-group', name: 'dg3' }],
      requests: [],
      kept: [],
    })
  })

  it('asks for what runs by requests, in an order that can be followed', () => {
    const on =
      '    methods: {START: {program: /opt/web/start, timeoutS: 60}, STOP: {program: /opt/web/stop, timeoutS: 30}}\n    baseDirectory: /opt/web\n    version: "1.0"\n    apiVersion: "2.2"\n    packages: [HAVweb]\n'
    const moved = file(`  web:\n    logicalHosts: [ha2]\n${on}`)
    expect(decide(demo, moved)).toMatchObject({
      changes: [],
      requests: [{ kind: 'service-hosts', service: 'web', add: ['ha2'], remove: ['ha1'] }],
    })
    expect(decide(demo, file(`  web:\n    state: off\n    logicalHosts: [ha1]\n${on}`)).requests).toEqual([
      { kind: 'services-off', services: ['web'] },
    ])
    expect(decide(withService({ state: 'off' }), moved)).toMatchObject({
      changes: [{ kind: 'put-data-service', dataService: { state: 'off', logicalHosts: ['ha2'] } }],
      requests: [],
    })
  })
})

describe('what is wrong with a file', () => {
  it('is said all at once, with lines, for the shape', () => {
    const text =
      'cluster:\n  name: demo\n  colour: red\nphysicalHosts:\n  alpha:\n    publicNames: alpha\nlogicalHosts:\n  ha1:\n    diskGroups: [dg1]\n    switchback: sometimes\n'
    expect(refusal(() => parseClusterFile(text, 'c.yaml')).toJSON()).toMatchInlineSnapshot(`
      {
        "code": "CONFIG_INVALID",
        "details": [
          "c.yaml:3:3: cluster: there is no field 'colour'",
          "c.yaml:6:5: physicalHosts.alpha.publicNames: Invalid input: expected array, received string",
          "c.yaml:8:3: logicalHosts.ha1.physicalHosts: Invalid input: expected array, received undefined",
          "c.yaml:10:5: logicalHosts.ha1.switchback: Invalid option: expected one of "automatic"|"manual"",
        ],
        "hint": null,
        "message": "c.yaml has 4 problems; nothing was changed",
        "retryable": false,
      }
    `)
  })

  it('is said all at once, with lines, for the meaning', () => {
    const text = [
      'cluster: {name: other, stepTimeoutS: 10}',
      'physicalHosts:',
      '  alpha:',
      '  be ta:',
      'diskGroups:',
      '  dg1: {directory: srv, filesystems: []}',
      'logicalHosts:',
      '  ha1:',
      '    physicalHosts: [alpha, gamma]',
      '    diskGroups: [dg1]',
      '    addresses:',
      '      - address: 10.0.0.999/24',
      '        adapters: eth0',
      'dataServices:',
      '  web:',
      '    logicalHosts: [ha7]',
      '    methods:',
      '      START: {program: /bin/true, timeoutS: 900}',
    ].join('\n')
    expect(refusal(() => decide(empty, text)).details).toMatchInlineSnapshot(`
      [
        "c.yaml:1:11: the file is of cluster other, and this is cluster demo",
        "c.yaml:1:24: the step timeout (10 s) is below the logical host timeout (180 s). Raise it with scconf -T, or lower the other with scconf -l.",
        "c.yaml:4:3: 'be ta' cannot be a name. Use 1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit.",
        "c.yaml:6:3: disk group dg1 is either a directory or file systems, not both",
        "c.yaml:6:9: 'srv' cannot be disk group dg1. Write an absolute path without '.', '..', double or trailing slashes.",
        "c.yaml:9:28: logical host ha1 names physical host gamma, which is not configured. Configured are: alpha, be ta.",
        "c.yaml:12:9: '10.0.0.999' of logical host ha1 is not an IP address",
        "c.yaml:16:20: data service web names logical host ha7, which is not configured. Configured are: ha1.",
        "c.yaml:18:35: the timeout of START of web (900 s) is not below half of the logical host timeout (180 s). Give it less, or raise the logical host timeout above 1800 s with scconf -l.",
      ]
    `)
  })

  it('is said with lines for what may not change now', () => {
    const text = writeClusterFile(demo).replace('/srv/dg1', '/srv/elsewhere')
    const line = text.split('\n').findIndex((one) => one.includes('/srv/elsewhere')) + 1
    expect(refusal(() => decide(demo, text)).details).toEqual([
      `c.yaml:${line}:3: logical host ha1 is held by alpha, so its disk group dg1 cannot be changed. Put it into maintenance first: haswitch -m ha1`,
    ])
  })

  it('includes a second document', () => {
    expect(
      refusal(() => parseClusterFile('cluster: {name: demo}\n---\ncluster: {name: demo}\n', 'c.yaml')).message,
    ).toContain('---')
  })

  it.each([
    ['no YAML', 'cluster: [', 'c.yaml:1:11: '],
    ['a name twice', 'cluster: {name: demo}\nphysicalHosts:\n  a:\n  a:\n', ': Map keys must be unique'],
    ['nothing at all', '', 'c.yaml:1:1: cluster: Invalid input: expected object, received undefined'],
    ['text', 'hello', 'c.yaml:1:1: Invalid input: expected object, received string'],
    [
      'a version without quotes',
      'cluster: {name: demo}\ndataServices:\n  web: {logicalHosts: [], methods: {}, version: 1.0}\n',
      'c.yaml:3:40: dataServices.web.version: Invalid input: expected string, received number',
    ],
  ])('shows for %s', (_, text, detail) => {
    expect(refusal(() => decide(demo, text)).details[0]).toContain(detail)
  })

  it('includes aliases that expand without end', () => {
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(', ')}]`)
    const text = `cluster: {name: demo}\nl0: &l0 [a]\n${levels.join('\n')}\n`
    expect(refusal(() => parseClusterFile(text, 'c.yaml')).code).toBe('CONFIG_INVALID')
  })
})
