/*
 * Who may import whom, checked on text. The checker is a pure function over packages and their files, so
 * that it can be shown what it must find.
 */

/** One file of a package's `src`. */
export type SourceFile = {
  /** Below the package's folder, such as `src/index.ts`. */
  readonly path: string
  readonly text: string
}

/** One package: its manifest and its sources. */
export type SourcePackage = {
  readonly name: string
  readonly dependencies: readonly string[]
  /** What it may be imported as beside its name, such as `@fanfold/client/many`. */
  readonly entries?: readonly string[] | undefined
  readonly files: readonly SourceFile[]
}

/** What a package may depend on. */
export type ImportRule = {
  /** Packages of this repository, without the scope. */
  readonly ours: readonly string[]
  /** No clock, chance, I/O or Node: those come in as arguments. */
  readonly isPure: boolean
}

/** The import table: a rule for each package, by its name without the scope. */
export type ImportTable = Readonly<Record<string, ImportRule>>

const ambient: readonly [name: string, pattern: RegExp][] = [
  ['Date', /\bnew Date\b|\bDate\.|\bDate\(/],
  ['Math.random', /\bMath\.random\b/],
  ['a timer', /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/],
  ['performance', /\bperformance\./],
  ['process', /(?<![.\w])process\./],
  ['console', /\bconsole\./],
  ['crypto', /(?<![.\w])crypto\./],
  ['fetch', /(?<![.\w])fetch\(/],
  ['Buffer', /\bBuffer\./],
  ['globalThis', /\bglobalThis\b/],
]

/** Everything in `packages` that the table does not allow, in words; empty when all is well. */
export function checkImports(packages: readonly SourcePackage[], table: ImportTable): string[] {
  const entries = new Set(packages.flatMap(source => source.entries ?? []))
  return [
    ...packages.flatMap(source => checkManifest(source, table)),
    ...packages.flatMap(source => checkFiles(source, table, entries)),
    ...cyclesOf(packages),
  ]
}

function checkManifest({ name, dependencies }: SourcePackage, table: ImportTable): string[] {
  const rule = table[shortName(name)]
  if (rule === undefined) return [`${name} has no row in the import table`]
  return dependencies
    .filter(dependency => isOurs(dependency) && !rule.ours.includes(shortName(dependency)))
    .map(dependency => `${name} may not depend on ${dependency}`)
}

function checkFiles(
  source: SourcePackage,
  table: ImportTable,
  entries: ReadonlySet<string>,
): string[] {
  const isPure = table[shortName(source.name)]?.isPure ?? false
  return source.files.flatMap(file => {
    const place = `${source.name}/${file.path}`
    const problems = importsOf(file.text).flatMap(target => {
      const isEntry = entries.has(target)
      const problem = checkImport(isEntry ? packageOf(target) : target, file, source, isPure)
      return problem === undefined ? [] : [`${place} ${problem}`]
    })
    if (!isPure) return problems
    const code = withoutComments(file.text)
    const found = ambient.filter(([, pattern]) => pattern.test(code))
    return [...problems, ...found.map(([what]) => `${place} is pure and uses ${what}`)]
  })
}

function checkImport(
  target: string,
  file: SourceFile,
  source: SourcePackage,
  isPure: boolean,
): string | undefined {
  if (target.startsWith('.')) {
    const path = new URL(target, `file:///${file.path}`).pathname.slice(1)
    const isInside = file.path.split('/').length > target.split('../').length
    return isInside && path.startsWith('src/') ? undefined : `leaves its package: ${target}`
  }
  if (target.startsWith('node:')) return isPure ? `is pure and imports ${target}` : undefined
  const dependency = packageOf(target)
  if (isOurs(dependency) && dependency !== target) return `reaches into ${dependency}: ${target}`
  return source.dependencies.includes(dependency) ? undefined : `imports undeclared ${target}`
}

const packageOf = (target: string): string => /^(@[^/]+\/[^/]+|[^/]+)/.exec(target)?.[1] ?? target

/** What a file imports: the statements at its head, all `export … from`, and calls of `import`. */
export function importsOf(text: string): string[] {
  const code = withoutComments(text)
  const targets: string[] = []
  const statement = /\s*(?:import|export)\b(?:[^'"`;=()]*?\bfrom)?\s*['"]([^'"]+)['"];?/y
  for (let match = statement.exec(code); match !== null; match = statement.exec(code)) {
    targets.push(match[1] ?? '')
  }
  for (const [, target = ''] of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)) {
    targets.push(target)
  }
  return targets
}

/** Each cycle of the packages' dependencies, once per package on it. */
function cyclesOf(packages: readonly SourcePackage[]): string[] {
  const dependencies = new Map(packages.map(source => [source.name, source.dependencies]))
  return packages.flatMap(({ name }) => {
    const seen = new Set<string>()
    const open = [...(dependencies.get(name) ?? [])]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === name) return [`${name} depends on itself, by way of others`]
      if (seen.has(next)) continue
      seen.add(next)
      open.push(...(dependencies.get(next) ?? []))
    }
    return []
  })
}

const isOurs = (name: string): boolean => name === 'fanfold' || name.startsWith('@fanfold/')

const shortName = (name: string): string => name.replace(/^@fanfold\//, '')

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<!:)\/\/.*$/gm, '')
