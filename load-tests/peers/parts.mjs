// What a peer is made of: packages of npm, which have a directory of their own beside this file, or of Debian. A peer's
// `parts` are `{ npm: [...] }` or `{ debian: [...] }`; the first of them is what its version is told of.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the packages of npm are. */
export const peersDirectory = fileURLToPath(new URL('.', import.meta.url))

const versionsOf = {
  npm(name) {
    const file = `${peersDirectory}node_modules/${name}/package.json`
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
  },
  debian(name) {
    const { stdout } = spawnSync('dpkg', ['--status', name], { encoding: 'utf8' })
    const [, status, version] = /^Status: (.*)$[\s\S]*^Version: (.*)$/m.exec(stdout ?? '') ?? []
    return status === 'install ok installed' ? version : undefined
  },
}

/** The parts of a peer that are not installed, by kind. */
export function missingParts({ parts }) {
  return Object.fromEntries(
    Object.entries(parts).map(([kind, names]) => [
      kind,
      names.filter(name => versionsOf[kind](name) === undefined),
    ]),
  )
}

/** The version of a peer that is installed. */
export function versionOf({ parts }) {
  const [[kind, [name]]] = Object.entries(parts)
  return versionsOf[kind](name)
}
