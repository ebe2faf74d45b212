// Runs every benchmark, or those named, one after the other, and writes what they print to a file in
// results/ that names the machine and the commit:
//
//   npm run bench                      all of them
//   npm run bench -- forward commit    these two
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('.', import.meta.url))
const suffix = '.bench.mjs'
const all = readdirSync(directory)
  .filter(name => name.endsWith(suffix))
  .map(name => name.slice(0, -suffix.length))
const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !all.includes(name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}`)
  process.exit(2)
}

/** What a benchmark is told, as it is told from a shell; where logs are written is no part of it. */
const settings = [
  'ROUNDS',
  'ROUND_MS',
  'SECONDS_PER_ROUND',
  'IDLE_SECONDS',
  'DELTAS',
  'STATES',
  'STATE_BYTES',
  'VIEWERS',
  'MINUTES',
  'PEERS',
]
  .filter(name => process.env[name] !== undefined)
  .map(name => `${name}=${process.env[name]}`)
const names = wanted.length === 0 ? [] : ['--', ...wanted]

const git = (...args) => execFileSync('git', args, { cwd: directory, encoding: 'utf8' }).trim()
const results = {
  date: new Date().toISOString(),
  commit: git('rev-parse', '--short=12', 'HEAD'),
  isClean: git('status', '--porcelain', '--untracked-files=no') === '',
  command: [...settings, 'npm run bench', ...names].join(' '),
  machine: {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  },
  // Others may be at work on the machine: 0 is a quiet one, the number of cores a busy one.
  loadBefore: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
  benchmarks: {},
}

for (const name of wanted.length === 0 ? all : wanted) {
  console.error(`# ${name}`)
  const child = spawn(process.execPath, ['--expose-gc', `${directory}${name}${suffix}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    const said = JSON.parse(line)
    if (said.versions !== undefined) {
      results.versions = { ...results.versions, ...said.versions }
      continue
    }
    lines.push(said)
    console.log(verdictOf(said))
  }
  const code = child.exitCode ?? (await new Promise(resolve => child.once('exit', resolve)))
  if (code !== 0) {
    console.error(`${name} failed with ${code}`)
    process.exitCode = 1
  }
  results.benchmarks[name] = lines
}
results.loadAfter = Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0])
mkdirSync(`${directory}results`, { recursive: true })
const file = `${directory}results/${results.date.slice(0, 10)}-${results.commit}.json`
writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
console.error(`# written to ${file}`)

/** A line for people: the figure, its spread, and what it is held against. */
function verdictOf({ bench, unit, median, min, max, floor, aim, ceiling }) {
  const held =
    floor !== undefined
      ? median >= (aim ?? floor)
        ? `  aim ${aim ?? floor} met`
        : median >= floor
          ? `  floor ${floor} met, aim ${aim} not`
          : `  BELOW the floor ${floor}`
      : ceiling !== undefined
        ? median <= (aim ?? ceiling)
          ? `  within ${aim ?? ceiling}`
          : median <= ceiling
            ? `  within ${ceiling}, aim ${aim} not met`
            : `  ABOVE ${ceiling}`
        : ''
  const short = value => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
  return `${bench}: ${short(median)} ${unit} (${short(min)} to ${short(max)})${held}`
}
