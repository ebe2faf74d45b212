/* The documents of the repository, and what is said in them that can be held to the code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../../../../', import.meta.url))

/** One document, by its path in the repository. */
export type Page = { readonly path: string; readonly text: string }

const namesIn = (folder: string): string[] => readdirSync(`${root}${folder}`).toSorted()

/** The page at a path. */
export const pageAt = (path: string): Page => ({
  path,
  text: readFileSync(`${root}${path}`, 'utf8'),
})

/** Every document of the repository. */
export function readPages(): Page[] {
  const paths = [
    'README.md',
    'CHANGELOG.md',
    'infra/README.md',
    'simulation/README.md',
    ...['docs', 'docs/decisions'].flatMap(folder =>
      namesIn(folder)
        .filter(name => name.endsWith('.md'))
        .map(name => `${folder}/${name}`),
    ),
    ...['packages', 'examples'].flatMap(folder =>
      namesIn(folder).map(name => `${folder}/${name}/README.md`),
    ),
  ]
  return paths.filter(path => existsSync(`${root}${path}`)).map(pageAt)
}

/** What the links of a page lead to that is not there; links to other sites are not followed. */
export function brokenLinks({ path, text }: Page): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets.filter(target => {
    if (/^[a-z]+:/.test(target)) return false
    const [file = '', anchor] = target.split('#')
    const linked = file === '' ? path : posix.join(posix.dirname(path), file)
    if (!existsSync(`${root}${linked}`)) return true
    const there = file === '' ? text : anchor === undefined ? '' : pageAt(linked).text
    return anchor !== undefined && !anchorsOf(there).includes(anchor)
  })
}

/** Anchors of a page's headings, as GitHub makes them. */
export const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

/** A call of the command, as a document shows it. */
export type ShownCall = { readonly words: readonly string[]; readonly flags: readonly string[] }

/**
 * Calls of `fanfold` in a page: lines of shell, and code inside of sentences. The words are the verb,
 * and whatever follows it before the first flag.
 */
export function shownCalls({ text }: Page): ShownCall[] {
  const shell = blocksOf(text)
    .filter(({ language }) => language === 'sh' || language === '')
    .flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n'))
    .flatMap(line => /^ *(?:npx )?fanfold (.*)/.exec(line)?.[1] ?? [])
  const spans = [...text.matchAll(/`fanfold ([^`]+)`/g)].map(([, call = '']) => call)
  return [...shell, ...spans].map(call => {
    const parts = call.replace(/ # .*| {2,}.*/, '').split(' ')
    const firstFlag = parts.findIndex(part => part.startsWith('-'))
    return {
      words: firstFlag === -1 ? parts : parts.slice(0, firstFlag),
      flags: parts.flatMap(part => /^--?[a-z][a-z-]*/.exec(part)?.[0] ?? []),
    }
  })
}

/** Blocks of code between fences. */
function blocksOf(text: string): { language: string; code: string }[] {
  // Fences open and close in turn.
  const parts = text.split(/^```(.*)\n/m)
  const blocks: { language: string; code: string }[] = []
  for (let index = 1; index + 2 < parts.length; index += 4) {
    blocks.push({ language: parts[index] ?? '', code: parts[index + 1] ?? '' })
  }
  return blocks
}

/** The first block of TypeScript in which `needle` occurs. */
export function codeWith({ path, text }: Page, needle: string): string {
  const found = blocksOf(text).find(
    ({ code, language }) => language === 'ts' && code.includes(needle),
  )
  if (found === undefined) throw new Error(`${path} has no code with ${needle}`)
  return found.code
}

/** All sources of all packages as one text. */
export function readSources(): string {
  const files = namesIn('packages').flatMap(name =>
    readdirSync(`${root}packages/${name}/src`, { recursive: true }).map(
      file => `packages/${name}/src/${String(file)}`,
    ),
  )
  return files
    .filter(file => file.endsWith('.ts'))
    .map(file => pageAt(file).text)
    .join('\n')
}
