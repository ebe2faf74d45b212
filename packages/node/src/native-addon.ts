import { type Addon, loadAddon, type SendAll } from '@fanfold/native'
import type { Config } from './config.ts'
import type { Log } from './logging.ts'

/**
 * What the native addon writes to viewers with; undefined where it is not used. One that is there and cannot be used is
 * logged: somebody built it and believes that it is.
 */
export function loadSendAll(
  { native }: Pick<Config, 'native'>,
  log: Pick<Log, 'warn'>,
  load: () => Addon = loadAddon,
): SendAll | undefined {
  if (!native) return undefined
  const addon = load()
  if (addon.kind === 'loaded') return addon.sendAll
  const { why, reason } = addon
  if (why !== 'not-built') log.warn({ event: 'native.unused', why, reason }, 'native addon unused')
  return undefined
}
