/*
 * Programs of the system that tests run, and how they get here: one that is there is used; where
 * apt-get may install it, it does, before the tests begin; otherwise the test says what to install.
 */

/** A program that npm does not bring. */
export type SystemProgram = {
  /** What it is to Debian; several packages have spaces between. */
  readonly aptPackage: string
  /** What runs it. */
  readonly neededBy: string
  /** The environment variable that names the one to use. */
  readonly variable?: string | undefined
  /** Where it may be, the best first. */
  readonly paths: readonly string[]
}

/** The browser that shows the page. */
export const chromium: SystemProgram & { readonly variable: string } = {
  aptPackage: 'chromium',
  neededBy: 'the test of the page',
  variable: 'FANFOLD_CHROMIUM',
  paths: [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
}

/** What shows the system calls of a process; its test is skipped without it. */
export const strace: SystemProgram = {
  aptPackage: 'strace',
  neededBy: 'the test that an edge writes nothing',
  paths: ['/usr/bin/strace'],
}

/** What makes networks of namespaces. */
export const iproute: SystemProgram = {
  aptPackage: 'iproute2',
  neededBy: 'every test with networks that break',
  paths: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'],
}

/** What drops packets, and counts them by what is in them. */
export const iptables: SystemProgram = {
  aptPackage: 'iptables',
  neededBy: iproute.neededBy,
  paths: ['/usr/sbin/iptables', '/sbin/iptables'],
}

/** What puts manifests together. */
export const kubectl: SystemProgram & { readonly variable: string } = {
  aptPackage: 'kubernetes-client',
  neededBy: 'the test of the manifests for Kubernetes',
  variable: 'FANFOLD_KUBECTL',
  paths: ['/usr/bin/kubectl', '/usr/local/bin/kubectl', '/opt/homebrew/bin/kubectl'],
}

/** What builds the native addon. */
export const cCompiler: SystemProgram = {
  aptPackage: 'gcc libc6-dev',
  neededBy: 'every test of the native addon',
  paths: ['/usr/bin/cc', '/usr/local/bin/cc'],
}

/** What keeps logs and members where they are on another machine. */
export const redisServer: SystemProgram & { readonly variable: string } = {
  aptPackage: 'redis-server',
  neededBy: 'every test of what is kept in Redis',
  variable: 'FANFOLD_REDIS_SERVER',
  paths: ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server'],
}

/** What is known of this machine. */
export type Machine = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly isRoot: boolean
  readonly isProgram: (path: string) => boolean
}

/** What installs packages. */
export const aptGet = '/usr/bin/apt-get'

/** The path of a program; undefined when it is not here. A variable that is set decides alone. */
export function findProgram(program: SystemProgram, machine: Machine): string | undefined {
  const chosen = chosenPath(program, machine)
  const paths = chosen === undefined ? program.paths : [chosen]
  return paths.find(path => machine.isProgram(path))
}

/** The packages to install before the tests; empty where nothing is missing or may be installed. */
export function packagesToInstall(programs: readonly SystemProgram[], machine: Machine): string[] {
  if (!machine.isRoot || !machine.isProgram(aptGet)) return []
  return programs
    .filter(program => findProgram(program, machine) === undefined)
    .filter(program => chosenPath(program, machine) === undefined)
    .flatMap(program => program.aptPackage.split(' '))
}

/** Says what a missing program is needed by, and what to do. */
export function missingSentence({ aptPackage, neededBy, variable }: SystemProgram): string {
  const other = variable === undefined ? '' : `, or set ${variable} to the path of one`
  return `${neededBy} needs ${aptPackage}: run \`apt-get install ${aptPackage}\` as root${other}`
}

function chosenPath({ variable }: SystemProgram, { environment }: Machine): string | undefined {
  const path = variable === undefined ? undefined : environment[variable]
  return path === '' ? undefined : path
}
