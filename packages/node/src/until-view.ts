import type { FleetView } from '@fanfold/topology'

/** Resolves when this holds, or the time is over; looked at each time that something changes in the view. */
export async function untilView(
  view: FleetView,
  holds: () => boolean,
  withinMs: number,
): Promise<void> {
  if (holds()) return
  await new Promise<void>(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const stop = view.onChange(() => {
      if (holds()) end()
    })
    const timer = setTimeout(end, withinMs)
  })
}
