export { CompileError, compileAddon } from './compile-addon.ts'
export { type Addon, loadAddon, type SendAll } from './load-addon.ts'
