/** Where effects are appended: an array of them, or of a wider union. */
export interface EffectSink<Effect> {
  push(effect: Effect): unknown
}
