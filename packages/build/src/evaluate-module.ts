import { compileFunction } from 'node:vm'

/**
 * The exports of a bundle.
 *
 * This is the process's own realm and no sandbox: whoever names the module trusts it.
 *
 * @param provide what `require` gives for a provided package or a builtin
 */
export function evaluateModule(
  code: string,
  path: string,
  provide: (name: string) => unknown,
): Readonly<Record<string, unknown>> {
  const evaluate = compileFunction(code, ['module', 'exports', 'require'], { filename: path })
  const module: { exports: Record<string, unknown> } = { exports: {} }
  evaluate(module, module.exports, provide)
  return module.exports
}
