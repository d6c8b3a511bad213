import { expect, it } from 'vitest'
import { ownPathDirectories } from '../../../src/methods/method-environment.ts'

it.each([
  ['of the system', '/usr/bin/node', ['/opt/haven/bin']],
  [
    'of a user',
    '/home/me/.nvm/versions/node/v20.20.2/bin/node',
    ['/opt/haven/bin', '/home/me/.nvm/versions/node/v20.20.2/bin'],
  ],
])('finds the Node.js %s that runs clustd in the PATH of a method', (_, node, directories) => {
  expect(ownPathDirectories('/opt/haven', node)).toEqual(directories)
})
