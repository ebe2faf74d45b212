/* A document's log as a Redis has it, read apart from the program that writes it. */
import { LogRecord } from '@fanfold/protocol'
import type { RedisServer } from '../processes/redis-server.ts'

/** All records of the logs of these documents, in the order in which they stand there. */
export async function redisLogs(
  { client }: RedisServer,
  docs: readonly string[],
): Promise<ReadonlyMap<string, readonly LogRecord[]>> {
  const logs = new Map<string, readonly LogRecord[]>()
  for (const doc of docs) {
    const entries = await client.xrangeBuffer(`fanfold:{${doc}}:log`, '-', '+')
    // An entry is its id and its fields: the name of the only one, and the record.
    const records = entries.map(([, fields]) => LogRecord.decode(fields[1] ?? Buffer.alloc(0)))
    logs.set(doc, records)
  }
  return logs
}
