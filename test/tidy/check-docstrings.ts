import ts from 'typescript'

/** Folders whose exported names are read by others than their author. */
const isRead = /^src\/(framework\/(ports|model|plan|api)|methods)\//

export interface MissingDocstring {
  readonly node: ts.Node
  readonly name: string
}

/** Finds the exported functions and types without a docstring, in the folders where everything has one. */
export function findMissingDocstrings(source: ts.SourceFile): readonly MissingDocstring[] {
  if (!isRead.test(source.fileName)) return []
  return source.statements.filter(isExported).flatMap((statement) => {
    if (ts.getJSDocCommentsAndTags(statement).length > 0) return []
    const name = nameOf(source, statement)
    return name === undefined ? [] : [{ node: statement, name }]
  })
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined
  return modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword) === true
}

function nameOf(source: ts.SourceFile, statement: ts.Statement): string | undefined {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText(source)
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement)
  return isNamed ? statement.name?.text : undefined
}
