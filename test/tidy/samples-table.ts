/** One small file and the findings that the rules must make of it, as they are printed; none for what is fine. */
export interface Sample {
  readonly shows: string
  readonly file: string
  readonly text: string
  /** Each the beginning of one printed finding, in order. */
  readonly findings: readonly string[]
}

const lines = (count: number, line: string): string => `${line}\n`.repeat(count)
const long = (name: string, count: number): string => `const ${name} = () => {\n${lines(count - 2, '  f()')}}\n`

const lengths: readonly Sample[] = [
  { shows: 'a file of 400 lines', file: 'src/cli/print.ts', text: lines(400, 'f()'), findings: [] },
  {
    shows: 'a file of 401 lines',
    file: 'src/cli/print.ts',
    text: lines(401, 'f()'),
    findings: ['src/cli/print.ts:402: 401 lines, more than 400 [file-length]. Instead: one job per file'],
  },
  { shows: 'a long table', file: 'test/unit/samples-table.ts', text: lines(900, 'f()'), findings: [] },
  {
    shows: 'a long generated file',
    file: 'src/framework/api/generated/shapes.ts',
    text: lines(900, 'f()'),
    findings: [],
  },
  { shows: 'a function of 70 lines', file: 'src/cli/print.ts', text: long('print', 70), findings: [] },
  {
    shows: 'a function of 71 lines',
    file: 'src/cli/print.ts',
    text: `// first\nfunction print() {\n${lines(69, '  f()')}}\n`,
    findings: [
      'src/cli/print.ts:2: print has 71 lines, more than 70 [function-length]. Instead: control flow in the parent',
    ],
  },
  {
    shows: 'a long test',
    file: 'test/unit/print.test.ts',
    text: `it('prints', () => {\n${lines(70, '  f()')}})\n`,
    findings: ['test/unit/print.test.ts:1: function has 72 lines'],
  },
  {
    shows: 'a long describe',
    file: 'test/unit/print.test.ts',
    text: `describe('it', () => {\n${lines(90, '  f()')}})\n`,
    findings: [],
  },
]

const names: readonly Sample[] = [
  { shows: 'a name that says its job', file: 'src/framework/plan/choose-master.ts', text: '', findings: [] },
  { shows: 'a name with a kind', file: 'test/unit/choose-master.test.ts', text: '', findings: [] },
  { shows: 'a program of a data service', file: 'dataservices/http/START_NET', text: '', findings: [] },
  {
    shows: 'a camel',
    file: 'src/framework/plan/chooseMaster.ts',
    text: '',
    findings: [
      'src/framework/plan/chooseMaster.ts:1: "chooseMaster" is not kebab-case [file-name]. Instead: small letters',
    ],
  },
  {
    shows: 'a folder that is no kebab',
    file: 'src/Plan/choose.ts',
    text: '',
    findings: ['src/Plan/choose.ts:1: "Plan" is not'],
  },
  {
    shows: 'a drawer',
    file: 'src/framework/utils/string-helpers.ts',
    text: '',
    findings: [
      'src/framework/utils/string-helpers.ts:1: "utils" says nothing about its job',
      'src/framework/utils/string-helpers.ts:1: "string-helpers" says nothing about its job',
    ],
  },
  { shows: 'common', file: 'src/cli/common.ts', text: '', findings: ['src/cli/common.ts:1: "common" says nothing'] },
  { shows: 'misc', file: 'test/misc/a.ts', text: '', findings: ['test/misc/a.ts:1: "misc" says nothing'] },
  { shows: 'a decision note', file: 'docs/decisions/0007-record-locks.md', text: '', findings: [] },
  { shows: 'the list of the decision notes', file: 'docs/decisions/README.md', text: '', findings: [] },
  {
    shows: 'a decision note without a number',
    file: 'docs/decisions/record-locks.md',
    text: '',
    findings: [
      'docs/decisions/record-locks.md:1: "record-locks.md" is not the name of a decision note [decision-name]',
    ],
  },
]

const clocksAndChance: readonly Sample[] = [
  {
    shows: 'the wall clock',
    file: 'src/framework/daemon/loop.ts',
    text: 'const a = 1\nconst now = Date.now()\n',
    findings: [
      'src/framework/daemon/loop.ts:2: Date.now(...) is not called here [banned-call]. Instead: effects.nowWallMs()',
    ],
  },
  {
    shows: 'a new date of now',
    file: 'src/framework/daemon/loop.ts',
    text: 'const now = [new Date(), new Date]',
    findings: ['src/framework/daemon/loop.ts:1: new Date(...)', 'src/framework/daemon/loop.ts:1: new Date(...)'],
  },
  { shows: 'a date made of a number', file: 'src/cli/print.ts', text: 'const at = new Date(wallMs)', findings: [] },
  {
    shows: 'monotonic clocks',
    file: 'src/methods/run-method.ts',
    text: 'performance.now()\nprocess.hrtime()\nprocess.hrtime.bigint()\n',
    findings: [
      'src/methods/run-method.ts:1: performance.now(...) is not called here [banned-call]. Instead: effects.nowMonotonicMs()',
      'src/methods/run-method.ts:2: process.hrtime(...)',
      'src/methods/run-method.ts:3: process.hrtime.bigint(...)',
    ],
  },
  {
    shows: 'chance',
    file: 'src/framework/store/file.ts',
    text: 'Math.random()\nrandomUUID()\n',
    findings: [
      'src/framework/store/file.ts:1: Math.random(...) is not called here [banned-call]. Instead: effects.random()',
      'src/framework/store/file.ts:2: randomUUID(...)',
    ],
  },
  {
    shows: 'timers',
    file: 'src/framework/execute/executor.ts',
    text: "import { setTimeout } from 'node:timers/promises'\nsetTimeout(f, 5)\nsetInterval(f, 5)\nAbortSignal.timeout(5)\n",
    findings: [
      'src/framework/execute/executor.ts:1: node:timers/promises is not imported here [banned-call]. Instead: effects.sleep',
      'src/framework/execute/executor.ts:2: setTimeout(...)',
      'src/framework/execute/executor.ts:3: setInterval(...)',
      'src/framework/execute/executor.ts:4: AbortSignal.timeout(...)',
    ],
  },
  {
    shows: 'the real effects, which read the clock for all',
    file: 'src/framework/ports/real-effects.ts',
    text: '/** Makes them. */\nexport const real = () => [Date.now(), Math.random(), setTimeout(f, 1)]\n',
    findings: [],
  },
  { shows: 'a spinner', file: 'src/cli/spinner.ts', text: 'setInterval(draw, 80)\nconsole.log(line)\n', findings: [] },
  {
    shows: 'a clock in a comment',
    file: 'src/framework/daemon/loop.ts',
    text: "// not Date.now()\nconst a = 'Date.now()'\n",
    findings: [],
  },
]

const otherCalls: readonly Sample[] = [
  {
    shows: 'an end without a goodbye, also in a command',
    file: 'src/cli/main.ts',
    text: 'process.exit(1)',
    findings: [
      'src/cli/main.ts:1: process.exit(...) is not called here [banned-call]. Instead: process.exitCode and return',
    ],
  },
  {
    shows: 'printing in the daemon',
    file: 'src/framework/daemon/loop.ts',
    text: 'console.log(1)\nconsole.error(2)\n',
    findings: [
      'src/framework/daemon/loop.ts:1: console.log(...)',
      'src/framework/daemon/loop.ts:2: console.error(...)',
    ],
  },
  { shows: 'a script that prints', file: 'scripts/build.mjs', text: 'console.log(Date.now())', findings: [] },
  {
    shows: 'tests that do not run',
    file: 'test/unit/a.test.ts',
    text: "it.skip('a', f)\ndescribe.only('b', f)\nit.only.each([1])('c', f)\nit.todo('d')\n",
    findings: [1, 2, 3, 4].map((line) => `test/unit/a.test.ts:${line}: `),
  },
  {
    shows: 'a test that cannot run here',
    file: 'test/e2e/a.test.ts',
    text: "it.skipIf(!root)('a', f)\n",
    findings: [],
  },
  {
    shows: 'sleeping in tests',
    file: 'test/api/a.test.ts',
    text: 'await sleep(5)\nawait new Promise((done) => setTimeout(done, 5))\n',
    findings: [
      'test/api/a.test.ts:1: sleep(...) is not called here [banned-call]. Instead: eventually(what, withinMs, probe)',
      'test/api/a.test.ts:2: setTimeout(...)',
    ],
  },
  { shows: 'virtual time', file: 'test/simulation/a.ts', text: 'await effects.sleep(5)\nsleep(5)\n', findings: [] },
]

const purity: readonly Sample[] = [
  {
    shows: 'waiting while deciding',
    file: 'src/framework/membership/judge.ts',
    text: 'const judge = async () => {\n  await f()\n}\ntype Later = Promise<void>\n',
    findings: [
      'src/framework/membership/judge.ts:1: async in a pure folder [purity]. Instead: a value that says what to do',
      'src/framework/membership/judge.ts:2: await in a pure folder',
      'src/framework/membership/judge.ts:4: Promise in a pure folder',
    ],
  },
  {
    shows: 'waiting elsewhere',
    file: 'src/framework/execute/a.ts',
    text: 'const a = async () => await f()',
    findings: [],
  },
]

const docstrings: readonly Sample[] = [
  {
    shows: 'exports without docstrings',
    file: 'src/framework/ports/clock.ts',
    text: 'export interface Clock {}\nexport type Ms = number\nexport function read() {}\nexport const max = 1\nconst inner = 1\n',
    findings: ['Clock', 'Ms', 'read', 'max'].map(
      (name, index) =>
        `src/framework/ports/clock.ts:${index + 1}: exported ${name} has no docstring [docstring]. Instead: a docstring`,
    ),
  },
  {
    shows: 'a docstring',
    file: 'src/framework/ports/clock.ts',
    text: '/** Reads. */\nexport function read() {}\n',
    findings: [],
  },
  {
    shows: 'a plain comment',
    file: 'src/methods/a.ts',
    text: '// Reads.\nexport const a = 1\n',
    findings: ['src/methods/a.ts:2: exported a'],
  },
  { shows: 'a folder without the rule', file: 'src/cli/a.ts', text: 'export const a = 1\n', findings: [] },
]

const texts: readonly Sample[] = [
  {
    shows: 'unfinished business, in any kind of file',
    file: 'docs/performance.md',
    text: `Fast.\n${'TO' + 'DO'}: measure\n${'FIX' + 'ME'}\nmktemp /tmp/XXXXXX\n`,
    findings: [
      'docs/performance.md:2: TO' + 'DO is left over [left-over]. Instead: do it now',
      'docs/performance.md:3: FIX' + 'ME is left over',
    ],
  },
  {
    shows: 'words of other products',
    file: 'README.md',
    text: 'A failover moves the VIP.\n',
    findings: [
      'README.md:1: "failover" is not our word [word]. Instead: switchover',
      'README.md:1: "VIP" is not our word [word]. Instead: logical address',
    ],
  },
  {
    shows: 'a word in a name',
    file: 'src/cli/a.ts',
    text: 'const vipUp = onFailover',
    findings: ['src/cli/a.ts:1: "Failover"', 'src/cli/a.ts:1: "vipU"'],
  },
  { shows: 'a word in a test', file: 'test/unit/a.test.ts', text: '// what others call failover\n', findings: [] },
]

/** Every rule, broken and kept. */
export const samples: readonly Sample[] = [
  ...lengths,
  ...names,
  ...clocksAndChance,
  ...otherCalls,
  ...purity,
  ...docstrings,
  ...texts,
]
