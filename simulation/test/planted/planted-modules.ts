/* What is loaded, with one of the bugs in it. */
import type { InitializeHook, LoadHook } from 'node:module'
import { compiledModule, type PlantedBug, plant } from './planted-bug.ts'
import { plantedBugs } from './planted-bugs.ts'

let planted: PlantedBug | undefined

export const initialize: InitializeHook<string> = name => {
  planted = plantedBugs.find(bug => bug.name === name)
  if (planted === undefined) throw new Error(`no bug is called ${name}`)
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context)
  const edits = planted?.edits.filter(edit => url.endsWith(compiledModule(edit))) ?? []
  if (edits.length === 0) return loaded
  const source = edits.reduce(plant, String(loaded.source))
  return { ...loaded, source }
}
