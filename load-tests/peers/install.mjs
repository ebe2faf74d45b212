// Installs what the peers of peers.bench.mjs are made of and the machine has not:
//
//   node load-tests/peers/install.mjs
//
// Packages of npm go into a directory beside this file, at the versions of the package.json there, and are no part of
// the workspace. Packages of Debian go into the system, as root or with sudo; where an init runs, it may start their
// services, which the benchmark has no use for.
import { spawnSync } from 'node:child_process'
import { missingParts, peersDirectory } from './parts.mjs'
import { peers } from './peers.mjs'

const missing = { npm: new Set(), debian: new Set() }
for (const peer of peers) {
  for (const [kind, names] of Object.entries(missingParts(peer))) {
    for (const name of names) missing[kind].add(name)
  }
}
if (missing.npm.size > 0) run('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund'])
if (missing.debian.size > 0) {
  const command = ['apt-get', 'install', '--yes', '--no-install-recommends', ...missing.debian]
  if (process.getuid() !== 0) command.unshift('sudo')
  run(command[0], command.slice(1))
}
for (const peer of peers) {
  const left = Object.values(missingParts(peer)).flat()
  const state = left.length === 0 ? 'installed' : `has no ${left.join(', ')}`
  console.log(`${peer.name}: ${state}`)
  if (left.length > 0) process.exitCode = 1
}

/** A package that cannot be had leaves the others to be installed; what is left is told in the end. */
function run(command, args) {
  console.log(`# ${[command, ...args].join(' ')}`)
  const { status, error } = spawnSync(command, args, { cwd: peersDirectory, stdio: 'inherit' })
  if (status !== 0)
    console.error(`${command} failed: ${error?.message ?? `it ended with ${status}`}`)
}
