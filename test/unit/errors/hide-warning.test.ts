import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, expect, it } from 'vitest'
import { hideServerNameWarning } from '../../../src/framework/errors/hide-warning.ts'

const { emitWarning } = process
afterEach(() => {
  process.emitWarning = emitWarning
})

/** Port 1 of the loopback has no listener: the warning comes before the refusal. */
const NAMED_BY_ADDRESS = { host: '127.0.0.1', port: 1, servername: '127.0.0.1' }

it('hides what Node.js says of a server that is named by its address, and nothing else', async () => {
  const told: string[] = []
  const listener = ({ message }: Error): void => void told.push(message)
  process.on('warning', listener)
  hideServerNameWarning()
  const socket = connect(NAMED_BY_ADDRESS)
  await once(socket, 'error').catch(() => undefined)
  process.emitWarning('another', 'DeprecationWarning', 'DEP9999')
  process.emitWarning('a third', { type: 'DeprecationWarning', code: 'DEP9998' })
  process.emitWarning(new Error('a fourth'))
  process.emitWarning('hidden', { type: 'DeprecationWarning', code: 'DEP0123' })
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listener)
  expect(told).toEqual(['another', 'a third', 'a fourth'])
})

it('is needed: Node.js says so', async () => {
  const text = `require('node:tls').connect(${JSON.stringify(NAMED_BY_ADDRESS)}).on('error', () => undefined)`
  const { stderr } = await promisify(execFile)(process.execPath, ['-e', text])
  expect(stderr).toContain('DEP0123')
})
