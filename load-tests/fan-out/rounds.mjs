import { report } from '../report.mjs'
import { measureTurn } from './turn.mjs'

const phases = ['paced', 'saturated']

/**
 * Gives each server its turn in each round. A server is `{ name, start, count, isPeer }`: how many viewers it has,
 * and whether the others go on without it when it fails. Returns the turns of each by its name.
 */
export async function playRounds(servers, { rounds, seconds }) {
  const turns = new Map(servers.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, start, count, isPeer = false } of servers) {
      if (!turns.has(name)) continue
      try {
        turns.get(name).push({ ...(await measureTurn(start, { count, seconds })), count })
      } catch (error) {
        if (!isPeer) throw error
        console.error(`${name} is left out: ${error.message}`)
        turns.delete(name)
      }
    }
  }
  return turns
}

/** Reports what each server did, as figures of `bench`. */
export function reportTurns(bench, turns) {
  for (const [name, rows] of turns) {
    const [{ count }] = rows
    for (const phase of phases) {
      const of = `${bench}: ${name}, ${count} viewers, ${phase}`
      const values = rows.map(row => row[phase].perProcessorSecond)
      report({ bench: `${of}, deliveries for a second of processor`, unit: 'deliveries', values })
      report({ bench: `${of}, p50`, unit: 'ms', values: rows.map(row => row[phase].p50Ms) })
      report({ bench: `${of}, p99`, unit: 'ms', values: rows.map(row => row[phase].p99Ms) })
    }
    const idle = `${bench}: ${name}, memory for each of ${count} idle viewers`
    report({ bench: idle, unit: 'KiB', values: rows.map(row => row.idleKib) })
    const faults = rows.map(({ missing, repeated }) => missing + repeated)
    const faulty = `${bench}: ${name}, ${count} viewers, missing or repeated`
    report({ bench: faulty, unit: 'deliveries', values: faults })
  }
}

/**
 * Reports how many times as many deliveries one server, Fanfold when not said, makes of a second of processor as another
 * does in the same round; `held` is what that is held against.
 */
export function reportRatio(bench, turns, { of = 'fanfold', to, phase, held = {} }) {
  const values = ratios(turns, { of, to }, turn => turn[phase].perProcessorSecond)
  const name = `${bench}: ${of} to ${to}, ${phase}, deliveries for a second of processor`
  report({ bench: name, unit: 'times', values, ...held })
}

/** Reports how many times as late as another's the median of a server's paced deliveries is, in the same round. */
export function reportLateness(bench, turns, { of = 'fanfold', to, held = {} }) {
  const values = ratios(turns, { of, to }, turn => turn.paced.p50Ms)
  report({ bench: `${bench}: ${of} to ${to}, paced, p50`, unit: 'times', values, ...held })
}

function ratios(turns, { of, to }, figure) {
  const others = turns.get(to)
  return turns.get(of).map((turn, round) => figure(turn) / figure(others[round]))
}
