// @ts-check
/** `npm test`: everything that this machine allows. Its last line is `N passed, N failed, N skipped`. */

import { runWithNewerEtcd } from './newer-etcd.mjs'
import { conclude, runTests } from './parts.mjs'
import { provideEndToEndPackages } from './provide-packages.mjs'
import { runQuickParts } from './quick-parts.mjs'

await provideEndToEndPackages()
const outcomes = await runQuickParts('500', true)
outcomes.push(await runTests('end to end', ['e2e'], { HAVEN_TEST_WHOLE: '1' }))
outcomes.push(await runWithNewerEtcd())
conclude(outcomes)
