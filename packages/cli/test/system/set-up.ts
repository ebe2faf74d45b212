/*
 * Runs before the tests, once, because an installation takes longer than a test may: installs the
 * programs that they need, and builds the native addon. It never fails: what is missing after it, its own test says.
 */
import { spawnSync } from 'node:child_process'
import { compileAddon } from '@fanfold/native'
import {
  aptGet,
  cCompiler,
  chromium,
  findProgram,
  iproute,
  iptables,
  kubectl,
  missingSentence,
  packagesToInstall,
  redisServer,
  strace,
} from './system-program.ts'
import { thisMachine } from './this-machine.ts'

/** Longest time for all of it, ms. */
const installMsMax = 300_000
/** Another installation on this machine is waited for so long, s. */
const lockWaitSeconds = 120

/**
 * No questions, and no service is started: a test starts its own servers. A machine that boots into
 * run level 1 starts none, and systemd is taken to be away.
 */
const quietEnvironment = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', SYSTEMD_OFFLINE: '1' }

const programs = [chromium, strace, iproute, iptables, redisServer, kubectl, cCompiler]
const packages = packagesToInstall(programs, thisMachine)
if (packages.length > 0) install(packages)
for (const program of programs) {
  if (findProgram(program, thisMachine) === undefined) say(missingSentence(program))
}
const compiler = findProgram(cCompiler, thisMachine)
if (compiler !== undefined) build(compiler)

function build(withCompiler: string): void {
  try {
    compileAddon({ compiler: withCompiler })
  } catch (error) {
    say(String(error))
  }
}

function install(names: readonly string[]): void {
  say(`installing ${names.join(' and ')} with apt-get`)
  const deadlineMs = performance.now() + installMsMax
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...names]]) {
    const timeout = Math.max(1, Math.ceil(deadlineMs - performance.now()))
    const { status, signal, error } = spawnSync(
      aptGet,
      ['--quiet', '--option', `DPkg::Lock::Timeout=${lockWaitSeconds}`, ...args],
      {
        stdio: ['ignore', 2, 2],
        timeout,
        env: { ...process.env, ...quietEnvironment },
      },
    )
    // Lists that are old may still name the packages.
    if (status !== 0) say(`apt-get ${args[0]} failed: ${error?.message ?? signal ?? status}`)
  }
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}
