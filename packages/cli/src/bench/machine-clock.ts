/*
 * One clock for all processes of this machine. `performance.now` counts from the start of its process; the
 * system's monotonic clock, which Node reads as `process.hrtime`, counts from one moment for all of them.
 * The difference is constant, so that each reading costs no more than `performance.now`.
 *
 * Both cannot be read at the same moment, and the first reading in a process takes milliseconds: so the
 * difference is taken several times, and the one counts that was read in the shortest time.
 */
const readings = 20

function differenceMs(): number {
  let difference = 0
  let shortestMs = Number.POSITIVE_INFINITY
  for (let reading = 0; reading < readings; reading++) {
    const beforeMs = performance.now()
    const machineMs = Number(process.hrtime.bigint()) / 1e6
    const afterMs = performance.now()
    if (afterMs - beforeMs >= shortestMs) continue
    shortestMs = afterMs - beforeMs
    difference = machineMs - (beforeMs + afterMs) / 2
  }
  return difference
}

const machineMinusProcessMs = differenceMs()

/** Milliseconds of this machine's monotonic clock: the same at the same moment in each process. */
export const machineNowMs = (): number => machineMinusProcessMs + performance.now()
