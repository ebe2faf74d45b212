import { Fragment, type VNode } from 'preact'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { type Car, formatLap, type Race } from '../../race.ts'
import { SectorCell } from './sector-cell.tsx'

type Props = {
  readonly car: Car
  readonly phase: Race['session']['phase']
  readonly isFastest: boolean
  readonly isFollowed: boolean
  readonly follow: (car: number) => void
}

/**
 * One car. Rows keep their place in the page and move by transform, so that an overtake glides and
 * no light blinks that did not change; a row is drawn again only when its car changed.
 */
export function CarRow({ car, phase, isFastest, isFollowed, follow }: Props): VNode {
  const row = useRef<HTMLTableRowElement>(null)
  const position = useRef(car.position)
  useLayoutEffect(() => {
    const gained = position.current - car.position
    position.current = car.position
    if (gained !== 0 && phase === 'racing' && car.status !== 'out') {
      flash(row.current, gained > 0 ? '#2bd67b' : '#ff5a5f')
    }
  }, [car.position, phase, car.status])

  const isGaining = car.position < position.current
  return useMemo(
    () => (
      <tr
        ref={row}
        aria-rowindex={car.position + 1}
        class={`row car is-${car.status} ${isGaining ? 'is-gaining' : ''}`}
        style={`--position:${car.position};--team:${car.colour}`}
      >
        <td class="position">{car.position}</td>
        <Moved car={car} />
        <td class="name">
          <i class="team-bar" />
          <button
            type="button"
            class="follow"
            aria-pressed={isFollowed}
            title={`Follow ${car.driver}`}
            onClick={() => follow(car.number)}
          >
            {car.code}
          </button>
          <span class="driver">
            {car.driver}
            <small>{car.team}</small>
          </span>
        </td>
        <Gaps car={car} phase={phase} />
        <Lap car={car} />
        <td class={`best number ${isFastest ? 'mark-overall' : ''}`}>
          {car.bestLapMs === null ? '' : formatLap(car.bestLapMs)}
        </td>
        {['1', '2', '3'].map(key => {
          const sector = car.sectors[key]
          return sector === undefined ? null : <SectorCell key={key} sector={sector} />
        })}
        <td key={`speed${car.speedKmh}`} class={`speed number is-new mark-${car.speedMark}`}>
          {car.speedKmh}
        </td>
        <td class="tyre" title={`${car.tyre.compound}, ${car.tyre.laps} laps`}>
          <i class={`compound is-${car.tyre.compound}`}>{car.tyre.compound[0]?.toUpperCase()}</i>
          <span class="number">{car.tyre.laps}</span>
        </td>
        <td class="pits number">
          {car.status === 'pit' ? <b class="badge">PIT</b> : car.pits === 0 ? '' : car.pits}
        </td>
      </tr>
    ),
    [car, phase, isFastest, isGaining, isFollowed, follow],
  )
}

function Moved({ car }: { readonly car: Car }): VNode {
  const gained = car.grid === 0 || car.status === 'out' ? 0 : car.grid - car.position
  return (
    <td class={`moved number ${gained > 0 ? 'is-up' : gained < 0 ? 'is-down' : ''}`}>
      {gained === 0 ? '' : `${gained > 0 ? '▲' : '▼'}${Math.abs(gained)}`}
    </td>
  )
}

function Gaps({ car, phase }: { readonly car: Car; readonly phase: Props['phase'] }): VNode {
  const { gap, interval } = gapTexts(car, phase)
  return (
    <Fragment>
      <td class="gap number">{gap}</td>
      <td
        class={`interval number ${car.intervalMs !== null && car.intervalMs < 1000 ? 'is-close' : ''}`}
      >
        {interval}
      </td>
    </Fragment>
  )
}

function gapTexts(car: Car, phase: Props['phase']): { gap: string; interval: string } {
  if (car.status === 'out') return { gap: 'OUT', interval: '' }
  if (phase === 'grid' || phase === 'waiting')
    return { gap: car.grid === 0 ? '' : 'GRID', interval: '' }
  if (car.status === 'pit') return { gap: 'IN PIT', interval: '' }
  if (car.position === 1) return { gap: car.loop === 0 ? '' : 'LEADER', interval: '' }
  const gap =
    car.lapsDown > 0
      ? `+${car.lapsDown} LAP${car.lapsDown > 1 ? 'S' : ''}`
      : car.gapMs === null
        ? ''
        : `+${formatLap(car.gapMs)}`
  return { gap, interval: car.intervalMs === null ? '' : `+${formatLap(car.intervalMs)}` }
}

function Lap({ car }: { readonly car: Car }): VNode {
  return (
    <td
      key={`lap${car.laps}`}
      class={`last number is-new mark-${car.lastLapMark}`}
      title={`lap ${car.laps}`}
    >
      {car.status === 'finished' ? <i class="chequered" role="img" aria-label="finished" /> : null}
      {car.lastLapMs === null ? '' : formatLap(car.lastLapMs)}
    </td>
  )
}

function flash(row: HTMLTableRowElement | null, colour: string): void {
  if (row === null || matchMedia('(prefers-reduced-motion: reduce)').matches) return
  row.animate([{ backgroundColor: `${colour}66` }, { backgroundColor: `${colour}00` }], {
    duration: 1_600,
    easing: 'ease-out',
  })
}
