/**
 * Who may import whom: the table of the architecture, checked by `npm run imports`.
 * A rule that is in the way is discussed (docs/decisions/), not bent.
 */

const framework = 'src/framework'

/** Matches everything under these folders and the files of these names (`.ts` left out). */
const oneOf = (...places) => `^(${places.join('|')})(/|\\.ts$)`

const model = `${framework}/model`
const errors = `${framework}/errors`
const ports = `${framework}/ports`

/**
 * What `scadmin` does without clustd: set a host up, start clustd, look after the database. It opens the database itself, as there is nobody to ask;
 * the commands load it only then (the dynamic import of `src/cli/real-world.ts`), so that it costs the others nothing.
 */
const offline = `^${framework}/daemon/offline(/|\\.ts$)`

/** A pure folder sees itself, the nouns, the errors and the pure folders named beside it, and of the world only node's assert. */
const pureFolders = [
  ['model'],
  ['errors'],
  ['membership'],
  ['supervise'],
  // Budgets of what Haven does by itself are arithmetic of their own, shared with the fault monitors.
  ['plan', 'supervise'],
  // Timings are checked by the rules that give them their meaning. The requests are those of the API, and its shapes are data alone.
  ['configure', 'membership', 'plan', 'api/wire'],
].map(([name, ...others]) => ({
  name: `${name}-is-pure`,
  severity: 'error',
  comment:
    'What decides must be a function of its arguments: so it can be simulated, replayed and shown beforehand (haswitch --plan). ' +
    'Hand the facts in as an argument, and let execute/ or daemon/ do what follows from the decision.',
  from: { path: `^${framework}/${name}/` },
  to: {
    pathNot: [
      oneOf(`${framework}/${name}`, model, errors, ...others.map((other) => `${framework}/${other}`)),
      '^(node:)?assert(/strict)?$',
      // A cluster file is text: the two parsers that make a configuration of it are functions of that text.
      ...(name === 'configure' ? ['node_modules/(yaml|zod)/'] : []),
    ],
  },
}))

/** Folder, what else of src/ it may import, and why no more. Every folder sees itself. */
const table = [
  {
    folder: ports,
    sees: [model, errors],
    why: 'A port is a promise about the world in the terms of the model; it must not know who keeps or who uses it.',
  },
  {
    folder: `${framework}/store`,
    sees: [model, errors, ports],
    why: 'A cluster database keeps records. It knows neither the drivers nor the plans, so that engines can be exchanged.',
  },
  {
    folder: `${framework}/drivers`,
    sees: [model, errors, ports],
    why: 'A driver does one thing to one machine. It knows neither the database nor the plans: the executor tells it what to do.',
  },
  {
    folder: `${framework}/records`,
    sees: [model, errors, ports],
    why: 'What records look like is the business of whoever reads and writes them: it decides nothing and reaches nothing.',
  },
  {
    folder: `${framework}/execute`,
    sees: [model, errors, ports, `${framework}/records`, `${framework}/supervise`],
    why: 'The executor walks a plan that was committed and chooses nothing: it cannot plan, and reaches the world through ports only.',
  },
  {
    folder: `${framework}/failfast`,
    sees: [model, errors, ports, `${framework}/membership`, `${framework}/drivers`, 'src/methods'],
    why: 'The guard must work when clustd, the database and the planner do not. It brings only what it needs to stop its host, and knows what a deadline is.',
  },
  {
    folder: `${framework}/security`,
    sees: [model, errors, ports],
    why: 'Keys, certificates and tokens are made and checked here, and connections are opened with them. Who may join and what a host may ask is decided elsewhere.',
  },
  {
    folder: `${framework}/voter`,
    sees: [model, errors, ports, `${framework}/security`, 'src/methods/proc'],
    why: 'The supervisor of etcd must be there before clustd and outlive it, and a witness has nothing else. It speaks to etcd itself and knows no records but one figure.',
  },
  {
    folder: 'src/methods',
    sees: [model, errors, ports],
    why: 'Methods and probes run outside of clustd: their kits cannot count on anything inside it.',
  },
  {
    folder: 'src/cli',
    sees: [`${framework}/api/client`, `${framework}/api/wire`, errors],
    why: 'Commands hold no logic: they ask the API and print what it says, so that every other client can do the same. It also keeps their start fast.',
  },
].map(({ folder, sees, why }) => ({
  name: `${folder.replace(`${framework}/`, '').replace('src/', '')}-sees-only-its-neighbours`,
  severity: 'error',
  comment: why,
  from: { path: `^${folder}/` },
  to: { path: '^(src|dataservices)/', pathNot: [oneOf(folder, ...sees), ...(folder === 'src/cli' ? [offline] : [])] },
}))

const special = [
  {
    name: 'api-client-is-thin',
    severity: 'error',
    comment:
      'Every command and every method waits until the client is loaded, and programs outside of Haven use it too: it is the wire shapes and a socket.',
    from: { path: `^${framework}/api/client(/|\\.ts$)` },
    to: { path: '^src/', pathNot: oneOf(`${framework}/api/client`, `${framework}/api/wire`, errors) },
  },
  {
    name: 'api-wire-is-shapes-only',
    severity: 'error',
    comment:
      'The wire shapes are what clients and clustd agree on. They may be made of the nouns of the model, and of nothing that acts.',
    from: { path: `^${framework}/api/wire(/|\\.ts$)` },
    to: { path: '^src/', pathNot: oneOf(`${framework}/api/wire`, model, errors) },
  },
  {
    name: 'api-asks-and-shows',
    severity: 'error',
    comment:
      'Routes read, plan (to show a plan) and hand requests to the loop. Only the loop commits, only the executor acts.',
    from: { path: `^${framework}/api/` },
    to: {
      path: '^src/',
      pathNot: oneOf(
        `${framework}/api`,
        model,
        errors,
        ports,
        `${framework}/plan`,
        `${framework}/membership`,
        // Which adapters stand in for each other, and what their host says of them.
        `${framework}/supervise`,
        `${framework}/configure`,
      ),
    },
  },
  {
    name: 'only-compose-wires',
    severity: 'error',
    comment:
      'One place says which database, which drivers and which method runner a clustd is made of. Everything else takes them as ports, ' +
      'and so runs in the simulator as it does in production.',
    from: {
      path: '^src/',
      pathNot: [
        `^${framework}/daemon/compose\\.ts$`,
        offline,
        `^${framework}/(store|drivers|failfast)/`,
        '^src/methods/',
      ],
    },
    to: { path: [`^${framework}/(store|drivers)/`, '^src/methods/run-method'] },
  },
  {
    name: 'daemon-leaves-the-guard-alone',
    severity: 'error',
    comment:
      'The guard is a process of its own that survives clustd: clustd speaks to it through the guard port, never by calling its code. ' +
      'Only compose puts the client of the guard behind that port. The reports that it leaves are files, which may be read where no clustd runs.',
    from: { path: '^src/', pathNot: [`^${framework}/failfast/`, `^${framework}/daemon/compose\\.ts$`] },
    to: { path: `^${framework}/failfast/`, pathNot: [`^${framework}/failfast/guard-reports\\.ts$`] },
  },
  {
    name: 'daemon-is-the-top',
    severity: 'error',
    comment: 'clustd is made of the other folders. What they need of it, they take as an interface.',
    from: { path: '^src/', pathNot: [`^${framework}/daemon/`, '^src/cli/(context|real-world)\\.ts$'] },
    to: { path: `^${framework}/daemon/` },
  },
  {
    name: 'commands-start-fast',
    severity: 'error',
    comment:
      'A command is to start in less than twice the time of an empty Node.js. A web framework and a logger for daemons are no part of one.',
    from: { path: `^(src/cli|${framework}/api/(client|wire))(/|\\.ts$)` },
    to: { path: 'node_modules/(fastify|winston)/' },
  },
  {
    name: 'data-services-are-guests',
    severity: 'error',
    comment:
      'A data service of ours may use nothing that the data service of somebody else could not: the kits of src/methods and its own folder.',
    from: { path: '^dataservices/([^/]+)/' },
    to: { path: '^(src|dataservices|test)/', pathNot: ['^src/methods/', '^dataservices/$1/'] },
  },
  {
    name: 'data-services-are-run-not-running',
    severity: 'error',
    comment: 'Running methods is the business of clustd. A data service is what is run.',
    from: { path: '^dataservices/' },
    to: { path: '^src/methods/run-method' },
  },
]

const hygiene = [
  {
    name: 'no-cycles',
    severity: 'error',
    comment:
      'Modules in a cycle can be understood, tested and loaded only together. Move what both need into a third one.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphans',
    severity: 'error',
    comment: 'A module that nothing imports and that imports nothing is left over. Delete it, or use it.',
    from: { orphan: true, path: '^(src|dataservices)/', pathNot: '\\.d\\.ts$' },
    to: {},
  },
  {
    name: 'production-knows-no-tests',
    severity: 'error',
    comment:
      'What runs in production must not depend on tests, benchmarks or build scripts; they are not installed with it.',
    from: { path: '^(src|dataservices)/' },
    to: { path: '^(test|bench|scripts)/' },
  },
  {
    name: 'production-knows-no-development-tools',
    severity: 'error',
    comment:
      'A development dependency is not there in production. If production needs it, move it (with a decision note) to "dependencies".',
    from: { path: '^(src|dataservices)/' },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'], pathNot: 'node_modules/@types/' },
  },
  {
    name: 'no-undeclared-packages',
    severity: 'error',
    comment: 'What is not in package.json is there by luck, and in whatever version another package wants.',
    from: { path: '^(src|dataservices|test|bench)/' },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'undetermined'] },
  },
  {
    name: 'nothing-unresolvable',
    severity: 'error',
    comment: 'The file or package does not exist under this name.',
    from: { path: '^(src|dataservices|test|bench)/' },
    to: { couldNotResolve: true },
  },
]

export default {
  forbidden: [...pureFolders, ...table, ...special, ...hygiene],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count: knowing the shape of a thing is knowing the thing.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
}
