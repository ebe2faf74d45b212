/** How V8 is told how much room there is for what is new, MiB for each of the two halves; `_` for `-` is the same to it. */
const youngRoom = /--max[-_]semi[-_]space[-_]size/

/**
 * What Node is told that runs an edge's worker: the flags that this process was given, and to keep little room for what
 * is new, unless it was told how much. What a handshake leaves behind stays in that room until it is full, and with 16 MiB
 * it is more than all that the viewers hold.
 *
 * @param given `process.execArgv` and `NODE_OPTIONS` of this process
 */
export function edgeFlags(given: {
  readonly flags: readonly string[]
  readonly options: string | undefined
}): string[] {
  const { flags, options = '' } = given
  const isTold = [...flags, options].some(text => youngRoom.test(text))
  return isTold ? [...flags] : [...flags, '--max-semi-space-size=4']
}
