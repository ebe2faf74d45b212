// The results files that figures come from, by the letters that templates and plots call them by.
import { readFileSync } from 'node:fs'

/** That a figure is wanted of a letter whose file is still to be made. */
export class NotMeasured extends Error {
  constructor(letter) {
    super(`${letter} is not measured yet`)
  }
}

/** Results by letter, with the command that made them; null for a letter whose file is still to be made. */
export function readFigureFiles(root) {
  const { letters, older } = JSON.parse(
    readFileSync(`${root}/load-tests/figures/files.json`, 'utf8'),
  )
  const files = new Map()
  for (const [letter, name] of Object.entries(letters)) {
    if (name === null) {
      files.set(letter, null)
      continue
    }
    const results = JSON.parse(readFileSync(`${root}/load-tests/results/${name}`, 'utf8'))
    files.set(letter, { name, ...results, ...older[name] })
  }
  return files
}

/** The results of a letter; throws `NotMeasured` where they are still to be made. */
export function figureFile(files, letter) {
  const file = files.get(letter)
  if (file === undefined) throw new Error(`no file ${letter}`)
  if (file === null) throw new NotMeasured(letter)
  return file
}
