/* Builds the addon: `npm run native`. The variable CC names another compiler than the system's. */
import { addonPath } from './addon-files.ts'
import { CompileError, compileAddon } from './compile-addon.ts'

try {
  compileAddon({ compiler: process.env['CC'] || 'cc' })
  process.stdout.write(`built ${addonPath}\n`)
} catch (error) {
  if (!(error instanceof CompileError)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exitCode = 1
}
