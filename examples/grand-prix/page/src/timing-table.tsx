import type { VNode } from 'preact'
import type { Race } from '../../race.ts'
import { CarRow } from './car-row.tsx'

const columns = [
  ['position', 'P'],
  ['moved', ''],
  ['name', 'Driver'],
  ['gap', 'Gap'],
  ['interval', 'Interval'],
  ['last', 'Last lap'],
  ['best', 'Best lap'],
  ['sector', 'Sector 1'],
  ['sector', 'Sector 2'],
  ['sector', 'Sector 3'],
  ['speed', 'km/h'],
  ['tyre', 'Tyre'],
  ['pits', 'Pit'],
] as const

/** Everybody, in the order of the race; the one whose name is pressed is followed. */
export function TimingTable({
  race,
  followed,
  follow,
}: {
  readonly race: Race
  readonly followed: number | undefined
  readonly follow: (car: number) => void
}): VNode {
  const cars = Object.values(race.cars)
  return (
    <table class="table" aria-label="Timing" aria-rowcount={cars.length + 1}>
      <thead>
        <tr class="row head" aria-rowindex={1}>
          {columns.map(([name, title]) => (
            <th key={title} scope="col" class={name}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody class="cars" style={`--cars:${cars.length}`}>
        {cars.map(car => (
          <CarRow
            key={car.number}
            car={car}
            phase={race.session.phase}
            isFastest={race.best.lap?.car === car.number}
            isFollowed={followed === car.number}
            follow={follow}
          />
        ))}
      </tbody>
    </table>
  )
}
