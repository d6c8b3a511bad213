// @ts-check
/** `npm run check`: everything that can be said about a change within a minute. */
import { conclude } from './parts.mjs'
import { runQuickParts } from './quick-parts.mjs'

conclude(await runQuickParts('12', false))
