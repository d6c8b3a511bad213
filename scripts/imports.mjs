// @ts-check
/** `npm run imports`: checks who imports whom, by the table in .dependency-cruiser.mjs. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bin, run, top } from './parts.mjs'

const folders = ['src', 'dataservices', 'test', 'bench'].filter((folder) => existsSync(join(top, folder)))
process.exitCode = await run(bin('depcruise'), ['--config', '.dependency-cruiser.mjs', ...folders], {})
