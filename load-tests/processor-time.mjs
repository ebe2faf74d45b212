/**
 * Processor time of `run`, µs, with what the runtime does beside it. Where others are at work on the
 * machine this stays what it is; the wall's time does not.
 */
export function processorUs(run) {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return user + system
}
