/**
 * What author's code returned where nobody waits for a promise: `value` itself, and if it is a promise,
 * what it rejects with is not news. Without this it would end the process.
 */
export function unawaited<Value>(value: Value): Value {
  if (value instanceof Promise) value.catch(ignore)
  return value
}

const ignore = (): void => undefined
