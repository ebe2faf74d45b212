/** The machine's clock, which all processes on it have in common, µs. */
export function nowUs() {
  return Number(process.hrtime.bigint() / 1_000n)
}

/** The delta that every server is told: its number, when that was, and two changes of a match. */
export function deltaOf(number) {
  return {
    seq: number,
    t: nowUs(),
    patch: [
      { op: 'replace', path: '/players/17/pos', value: { x: 100.25 + (number % 100), y: 47.5 } },
      { op: 'replace', path: '/score/home', value: 3 },
    ],
  }
}

/** What stands before number and time where a delta is sent as it is. */
export const plainMarks = { number: '"seq":', time: '"t":' }
