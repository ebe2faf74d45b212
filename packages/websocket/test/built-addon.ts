import { compileAddon, loadAddon, type SendAll } from '@fanfold/native'

/**
 * The native addon's function; the addon is built when it is not there, or is of another source.
 *
 * @throws CompileError with what to install
 */
export function builtSendAll(): SendAll {
  if (loadAddon().kind === 'absent') compileAddon({ compiler: 'cc' })
  const addon = loadAddon()
  if (addon.kind === 'absent') throw new Error(addon.reason)
  return addon.sendAll
}
