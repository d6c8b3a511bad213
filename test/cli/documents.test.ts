import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Document } from '../../src/cli/generate/documents.ts'
import { makeDocuments } from '../../src/cli/generate/documents.ts'
import { versionOf } from '../../src/cli/version.ts'
import { ERROR_CODES } from '../../src/framework/errors/codes.ts'

const top = join(import.meta.dirname, '../..')
const hasTool = (name: string): boolean => spawnSync(name, ['--version']).error === undefined

/** Bold letters are printed twice, with a backspace between. */
const withoutBold = (text: string): string => text.split('\b').reduce((before, after) => before.slice(0, -1) + after)

let documents: readonly Document[]
beforeAll(async () => {
  documents = await makeDocuments(await versionOf(top))
})

const textOf = (path: string): string => documents.find((document) => document.path === path)?.text ?? ''

describe('what is generated', () => {
  it('is up to date; `npm run docs` writes it', () => {
    for (const { path, text } of documents) expect(readFileSync(join(top, path), 'utf8'), path).toBe(text)
  })

  it('has a page for every command and a row for every error', () => {
    expect(documents.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['docs/man/haswitch.8', 'docs/errors.md', 'docs/completion/haven.bash']),
    )
    for (const code of Object.keys(ERROR_CODES)) expect(textOf('docs/errors.md')).toContain(`| \`${code}\` |`)
  })

  it.skipIf(!hasTool('groff'))('renders as man pages without a warning', () => {
    for (const { path, text } of documents.filter((document) => document.path.endsWith('.8'))) {
      const rendered = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-rLL=100n'], { input: text, encoding: 'utf8' })
      expect({ path, stderr: rendered.stderr }).toEqual({ path, stderr: '' })
      expect(withoutBold(rendered.stdout)).toContain('--help')
    }
  })

  it.skipIf(!hasTool('zsh'))('is valid zsh', () => {
    execFileSync('zsh', ['-n', join(top, 'docs/completion/_haven')])
  })
})

describe('the completion of bash', () => {
  /** Completes the last word of a command line, with names from a haget that answers a fixed list. */
  function complete(...words: readonly string[]): readonly string[] {
    const script = [
      'haget() { case "$2" in all_logical_hosts) echo ha1; echo ha2 ;; all_physical_hosts) echo alpha; echo beta ;; all_services) echo web ;; esac; }',
      `source '${join(top, 'docs/completion/haven.bash')}'`,
      'COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))',
      '"_haven_$1"',
      `printf "%s\\n" "\${COMPREPLY[@]}"`,
    ].join('\n')
    const printed = execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' })
    return printed.split('\n').filter((line) => line !== '')
  }

  it('is valid', () => {
    execFileSync('bash', ['-n', join(top, 'docs/completion/haven.bash')])
  })

  it('completes names, after each comma of a list, options, verbs, fields and files', () => {
    expect(complete('haswitch', 'b')).toEqual(['beta'])
    expect(complete('haswitch', 'beta', 'h')).toEqual(['ha1', 'ha2'])
    expect(complete('haswitch', '--pl')).toEqual(['--plan'])
    expect(complete('haget', '-f', 'mas')).toEqual(['master', 'mastered'])
    expect(complete('hareg', '-y', 'w')).toEqual(['web'])
    expect(complete('hareg', '-h', 'ha1,h')).toEqual(['ha1,ha1', 'ha1,ha2'])
    expect(complete('scadmin', 'time')).toEqual(['timeline'])
    expect(complete('scadmin', 'database', '')).toEqual(['check', 'backup', 'restore', 'migrate'])
    expect(complete('scadmin', 'explain', '')).toEqual(['ha1', 'ha2'])
    expect(complete('scconf', 'demo', '--timings', 'f')).toEqual(['fast'])
    expect(complete('scconf', 'diff', '-f', `${top}/LICEN`)).toEqual([`${top}/LICENSE`])
    expect(complete('hastat', '-i', '')).toEqual([])
  })
})
