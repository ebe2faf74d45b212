import type { Terminal } from './terminal.ts'

/** What a verb says: results to standard output, all else to standard error. */
export class Output {
  /** Results are JSON, a line each. */
  readonly isJson: boolean
  readonly isQuiet: boolean
  readonly #terminal: Terminal

  constructor(terminal: Terminal, options: { readonly json: boolean; readonly quiet: boolean }) {
    this.#terminal = terminal
    this.isJson = options.json
    this.isQuiet = options.quiet
  }

  /** A result: `value` as a line of JSON, or `text` for people. */
  async result(value: unknown, text: () => string): Promise<void> {
    await this.line(this.isJson ? JSON.stringify(value) : text())
  }

  /** A line of the result, whoever reads it. */
  async line(text: string): Promise<void> {
    await this.#terminal.out.write(`${text}\n`)
  }

  /** Something worth knowing that is no result; not said with `--quiet`. */
  async note(text: string): Promise<void> {
    if (!this.isQuiet) await this.#terminal.err.write(`${text}\n`)
  }
}

/** Rows as aligned columns; the last column is as wide as it is. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    }
  }
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
