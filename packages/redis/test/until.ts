/** How long it is until a thing that did not hold is looked at again, ms. */
const lookEveryMs = 5

/** Resolves when something holds that nobody tells of, by looking again and again. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, lookEveryMs))
}
