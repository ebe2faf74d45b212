import type { ImportDeclaration, Statement } from '@babel/types'
import { boundNames, freeNames } from './free-names.ts'
import type { ParsedModule } from './parsed-module.ts'

/** One name that a module imports. */
export type ImportedName = {
  /** The specifier as it is written: `./race.ts`. */
  readonly source: string
  /** Its name in the module it comes from; `*` for the module itself. */
  readonly imported: string
}

/** What the names of a module's top level are. */
export class ModuleNames {
  /** Imports of values, by their name here. */
  readonly imports: ReadonlyMap<string, ImportedName>
  /** Statements that declare values, by the name. */
  readonly declared: ReadonlyMap<string, Statement>

  constructor({ program }: ParsedModule) {
    const imports = new Map<string, ImportedName>()
    const declared = new Map<string, Statement>()
    for (const statement of program.body) {
      if (statement.type === 'ImportDeclaration') {
        if (statement.importKind === 'type') continue
        for (const specifier of statement.specifiers) {
          if (specifier.type === 'ImportSpecifier' && specifier.importKind === 'type') continue
          const source = statement.source.value
          imports.set(specifier.local.name, { source, imported: importedOf(specifier) })
        }
      } else {
        for (const name of declaredNames(statement)) declared.set(name, statement)
      }
    }
    this.imports = imports
    this.declared = declared
  }

  /** All names of the top level that code reaches which uses `names`, through declarations too. */
  reach(names: Iterable<string>): ReadonlySet<string> {
    const reached = new Set<string>()
    const waiting = [...names]
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (reached.has(name)) continue
      const statement = this.declared.get(name)
      if (statement === undefined && !this.imports.has(name)) continue
      reached.add(name)
      if (statement !== undefined) waiting.push(...freeNames(statement).map(one => one.name))
    }
    return reached
  }
}

/** The names of values that a statement of the top level declares. */
export function declaredNames(statement: Statement): string[] {
  const declaration =
    statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
  switch (declaration?.type) {
    case 'VariableDeclaration':
      return declaration.declarations.flatMap(({ id }) => boundNames(id))
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'TSEnumDeclaration':
      return boundNames(declaration.id)
    default:
      return []
  }
}

function importedOf(specifier: ImportDeclaration['specifiers'][number]): string {
  if (specifier.type === 'ImportNamespaceSpecifier') return '*'
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  const { imported } = specifier
  return imported.type === 'Identifier' ? imported.name : imported.value
}
