import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkName } from './check-names.ts'
import { checkSource } from './check-source.ts'
import { checkText } from './check-text.ts'
import type { Finding } from './finding.ts'

const folders = ['src', 'test', 'scripts', 'dataservices', 'bench', 'bin', 'docs']
const isText = /\.(ts|mts|mjs|js|cjs|json|md|ya?ml|sh|txt)$|^bin\//
const isSource = /\.(ts|mts|mjs|js|cjs)$/

/** The tidy test's own code and samples name what they look for. */
const isAboutTheRules = /^test\/tidy(\/|\.test\.ts$)/

/** Lists the files that the rules hold for, relative to `top`, sorted; files of other kinds (pictures, images of disks) are left out. */
export function listFiles(top: string): readonly string[] {
  const inFolders = folders
    .filter((folder) => existsSync(join(top, folder)))
    .flatMap((folder) => readdirSync(join(top, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(top.length + 1))
  const atTop = readdirSync(top).filter((name) => name.endsWith('.md') || name.endsWith('.ts'))
  return [...inFolders, ...atTop]
    .filter((file) => !/(^|\/)(node_modules|dist|\.cache)\//.test(file))
    .filter((file) => isText.test(file) || file.startsWith('docs/decisions/'))
    .sort()
}

/** Checks every file below `top`. */
export function checkTree(top: string): readonly Finding[] {
  return listFiles(top).flatMap((file) => checkFile(file, readFileSync(join(top, file), 'utf8')))
}

/** Checks one file by every rule that holds for its kind. */
export function checkFile(file: string, text: string): readonly Finding[] {
  return [
    ...checkName(file),
    ...(isAboutTheRules.test(file) ? [] : checkText(file, text)),
    ...(isSource.test(file) ? checkSource(file, text) : []),
  ]
}
