import ts from 'typescript'
import { type BannedCall, bannedCalls, bannedImports } from './banned-calls.ts'
import { findMissingDocstrings } from './check-docstrings.ts'
import type { Finding, Rule } from './finding.ts'

const fileLinesMax = 400
const functionLinesMax = 70

/** Tables and recorded outcomes are as long as what they tell of. */
const isTable = /^test\/scenarios\/|\/generated\/|-table\.ts$/
const isPure = /^src\/framework\/(plan|membership|supervise)\//

type Report = (node: ts.Node, rule: Rule, what: string, instead: string) => void

/** Finds what breaks a rule in one TypeScript or JavaScript file. `file` decides which rules hold there; it need not exist. */
export function checkSource(file: string, text: string): readonly Finding[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true)
  const findings: Finding[] = []
  const report: Report = (node, rule, what, instead) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
    findings.push({ rule, file, line, what, instead })
  }
  checkFileLength(source, report)
  const visit = (node: ts.Node): void => {
    checkFunctionLength(source, node, report)
    checkCall(source, node, report)
    checkImport(source, node, report)
    if (isPure.test(file)) checkPurity(node, report)
    ts.forEachChild(node, visit)
  }
  visit(source)
  for (const { node, name } of findMissingDocstrings(source)) {
    const instead = 'a docstring that starts with a verb: shapes and units, the absent case, the error codes it throws'
    report(node, 'docstring', `exported ${name} has no docstring`, instead)
  }
  return findings
}

function checkFileLength(source: ts.SourceFile, report: Report): void {
  const lines = source.getLineStarts().length - (source.text.endsWith('\n') ? 1 : 0)
  if (lines <= fileLinesMax || isTable.test(source.fileName)) return
  const instead = 'one job per file, named by it (60-150 lines); a pure table goes into a file named *-table.ts'
  report(source.endOfFileToken, 'file-length', `${lines} lines, more than ${fileLinesMax}`, instead)
}

function checkFunctionLength(source: ts.SourceFile, node: ts.Node, report: Report): void {
  if (!ts.isFunctionLike(node) || isCallbackOfDescribe(source, node)) return
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line
  const lines = lineOf(node.getEnd()) - lineOf(node.getStart(source)) + 1
  if (lines <= functionLinesMax) return
  const name = node.name?.getText(source) ?? 'function'
  const instead = 'control flow in the parent, plain work in functions of its own (7-25 lines)'
  report(node, 'function-length', `${name} has ${lines} lines, more than ${functionLinesMax}`, instead)
}

/** A describe block is a table of tests, not a function that somebody has to hold in his head. */
function isCallbackOfDescribe(source: ts.SourceFile, node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^(describe|suite)\b/.test(node.parent.expression.getText(source))
}

function checkCall(source: ts.SourceFile, node: ts.Node, report: Report): void {
  const callee = calleeOf(source, node)
  if (callee === undefined) return
  const banned = findBanned(bannedCalls, source.fileName, callee)
  if (banned === undefined) return
  report(node, 'banned-call', `${callee.replace(/\s+/g, ' ')}(...) is not called here`, banned.instead)
}

/** The text of what is called. `new Date(x)` is a conversion, so only a `new` without arguments counts. */
function calleeOf(source: ts.SourceFile, node: ts.Node): string | undefined {
  if (ts.isCallExpression(node)) return node.expression.getText(source)
  if (ts.isTaggedTemplateExpression(node)) return node.tag.getText(source)
  if (ts.isNewExpression(node) && (node.arguments ?? []).length === 0) return `new ${node.expression.getText(source)}`
  return undefined
}

function checkImport(source: ts.SourceFile, node: ts.Node, report: Report): void {
  if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) return
  const banned = findBanned(bannedImports, source.fileName, node.moduleSpecifier.text)
  if (banned === undefined) return
  report(node, 'banned-call', `${node.moduleSpecifier.text} is not imported here`, banned.instead)
}

function findBanned(bans: readonly BannedCall[], file: string, name: string): BannedCall | undefined {
  return bans.find((ban) => ban.where.test(file) && ban.except?.test(file) !== true && ban.callee.test(name))
}

function checkPurity(node: ts.Node, report: Report): void {
  const found =
    node.kind === ts.SyntaxKind.AsyncKeyword
      ? 'async'
      : ts.isAwaitExpression(node)
        ? 'await'
        : ts.isIdentifier(node) && node.text === 'Promise'
          ? 'Promise'
          : undefined
  if (found === undefined) return
  const instead = 'a value that says what to do; execute/ and daemon/ do it'
  report(node, 'purity', `${found} in a pure folder`, instead)
}
