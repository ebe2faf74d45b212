/**
 * The keys under which members meet. They share a hash tag, so a cluster has them on one node and takes
 * scripts over them.
 */
export type CoordinatorKeys = {
  /** Who was heard, in the order of their last words. */
  readonly heard: string
  /** What they said. */
  readonly said: string
  /** What operators placed. */
  readonly placed: string
  /** Its subjects, in the order of their last changes. */
  readonly changes: string
  /** Ids of the last changes. */
  readonly trail: string
  /** Never there: what is written to it to learn whether the server takes writes. */
  readonly probe: string
  /** The channel of hints. */
  readonly hints: string
}

/** The keys under which members meet. */
export function coordinatorKeysOf(prefix: string): CoordinatorKeys {
  const base = `${prefix}{members}:`
  return {
    heard: `${base}heard`,
    said: `${base}said`,
    placed: `${base}placed`,
    changes: `${base}changes`,
    trail: `${base}trail`,
    probe: `${base}probe`,
    hints: `${base}hints`,
  }
}
