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

/** Everybody, in the order of the race. */
export function TimingTable({ race }: { readonly race: Race }): VNode {
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
          />
        ))}
      </tbody>
    </table>
  )
}
