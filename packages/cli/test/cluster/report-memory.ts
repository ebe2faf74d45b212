/*
 * Loaded into a node (`--import`, beside `--expose-gc`): at SIGUSR2 it logs how many bytes it holds, after
 * what it does not hold any more has been collected.
 */
process.on('SIGUSR2', () => {
  globalThis.gc?.()
  // What the first one found to be without an owner, the second one gives back.
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  const line = { event: 'memory-reported', bytes: heapUsed + external }
  process.stdout.write(`${JSON.stringify(line)}\n`)
})
