import { LogRecord } from '../src/log-record.ts'

/** A frame as text in which bytes are hexadecimal, so that two are equal when their texts are. */
export const describeFrame = (frame: unknown): string =>
  JSON.stringify(frame, (_, value: unknown) => {
    if (value instanceof LogRecord) return Buffer.from(value.bytes).toString('hex')
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
  })
