/*
 * What an option is called where: `limits.viewersMax` in the file, `--limits-viewers-max` on the
 * command line, `FANFOLD_LIMITS__VIEWERS_MAX` in the environment. A secret's value stands in a file,
 * which the name with `File` behind it gives: `--token-key-file`, `FANFOLD_TOKEN_KEY_FILE`.
 */
import { type ConfigName, configNames, configRow } from './config-table.ts'

const splitWords = (name: string, between: string): string =>
  name.replace(/[A-Z]/g, letter => `${between}${letter.toLowerCase()}`)

/** The flag of an option, without the dashes; a secret's names a file. */
export function flagOf(name: ConfigName): string {
  const row = configRow(name)
  const flag = row.flag ?? splitWords(name, '-').replaceAll('.', '-')
  return row.secret ? `${flag}-file` : flag
}

/** The environment variable of an option. */
export const environmentOf = (name: ConfigName): string =>
  `FANFOLD_${splitWords(name, '_').replaceAll('.', '__').toUpperCase()}`

/** The environment variable that names the file of a secret. */
export const environmentFileOf = (name: ConfigName): string => `${environmentOf(name)}_FILE`

/** The name in a configuration file that names the file of a secret. */
export const fileNameOf = (name: ConfigName): string => `${name}File`

/** Options by flag. */
export const namesByFlag: ReadonlyMap<string, ConfigName> = new Map(
  configNames.map(name => [flagOf(name), name]),
)

/** What an environment variable gives: an option's value, or the path of a file that holds it. */
export type Variable = { readonly name: ConfigName; readonly isFile: boolean }

/** Options by environment variable. */
export const namesByVariable: ReadonlyMap<string, Variable> = new Map(
  configNames.flatMap((name): [string, Variable][] => {
    const plain: [string, Variable] = [environmentOf(name), { name, isFile: false }]
    if (!configRow(name).secret) return [plain]
    return [plain, [environmentFileOf(name), { name, isFile: true }]]
  }),
)
