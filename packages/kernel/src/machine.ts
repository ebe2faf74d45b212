import type { Instant } from './instant.ts'

/**
 * A role, or a part of one, with no I/O in it: what happened goes in, what to do comes out.
 *
 * The driver may be a Node process or the simulator; a machine cannot tell which. It is synchronous:
 * a driver gives it one input at a time and performs the effects in their order afterwards.
 */
export interface Machine<Input, Effect> {
  /** Takes one input, and appends what the driver must now do to `effects`, in order. */
  receive(input: Input, now: Instant, effects: Effect[]): void
  /** When to call `tick` next if nothing arrives first; `undefined` for never. */
  wakeAt(): Instant | undefined
  /** Does what is due at `now`. Calling it early is allowed and does nothing. */
  tick(now: Instant, effects: Effect[]): void
}
