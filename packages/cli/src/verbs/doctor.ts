import { type DoctorRow, runDoctor } from '@fanfold/node'
import { configOptions, readConfig } from '../config-options.ts'
import { exitCodes } from '../exit-code.ts'
import { alignColumns } from '../output.ts'
import type { Verb } from '../verb.ts'

/** `fanfold doctor`. */
export const doctorVerb: Verb = {
  name: 'doctor',
  meaning:
    'Looks at the machine before a node starts on it: version of Node, file descriptors, ports, disk, clock, and when its certificate ends. Ends with 4 when something is not as it should be.',
  options: configOptions,
  examples: ['doctor', 'doctor --data /var/lib/fanfold --port 9600', 'doctor --json'],
  async run(input) {
    const { output, terminal } = input
    const { config } = await readConfig(input)
    const rows = await runDoctor({
      config,
      nodeVersion: process.version,
      wallClock: () => terminal.clock.wallClock(),
    })
    await output.result(rows, () => doctorText(rows, output.isQuiet))
    return rows.every(({ ok }) => ok) ? exitCodes.ok : exitCodes['check-failed']
  },
}

/** What was found, a line each; what is well is left out with `--quiet`. */
export function doctorText(rows: readonly DoctorRow[], isQuiet: boolean): string {
  const shown = rows.filter(({ ok }) => !ok || !isQuiet)
  return alignColumns(
    shown.map(({ ok, check, detail, advice }) => [
      ok ? 'ok' : 'BAD',
      check,
      advice === '' ? detail : `${detail}: ${advice}`,
    ]),
  )
}
