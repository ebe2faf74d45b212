/* One page of the table of a timing feed, in the order of the table. */

const linesPerPage = 5

/** A page: its lines with what else is visible of their cars, and how many messages there are. */
export function pageOf(visible: object, page: number): object {
  const lines = entriesAt(visible, 'TimingData', 'Lines')
    .map(([car, line]) => ({ car, line, place: Number(read(line, 'Line') ?? 0) }))
    .sort((a, b) => a.place - b.place || Number(a.car) - Number(b.car))
    .slice(page * linesPerPage, (page + 1) * linesPerPage)
    .map(({ car, line }) => ({
      car,
      gap: read(line, 'GapToLeader') ?? read(line, 'TimeDiffToFastest') ?? '',
      sectors: read(line, 'Sectors') ?? [],
      app: at(visible, 'TimingAppData', 'Lines', car) ?? 'hidden',
      stats: at(visible, 'TimingStats', 'Lines', car) ?? 'hidden',
    }))
  return {
    page,
    lines,
    messages: entriesAt(visible, 'RaceControlMessages', 'Messages').length,
    End: read(visible, 'End') ?? false,
  }
}

const read = (holder: unknown, name: string): unknown =>
  typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
    ? Reflect.get(holder, name)
    : undefined

const at = (holder: unknown, ...names: string[]): unknown => names.reduce(read, holder)

const entriesAt = (holder: unknown, ...names: string[]): [string, unknown][] => {
  const value = at(holder, ...names)
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}
