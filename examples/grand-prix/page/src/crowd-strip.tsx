import { rollup } from 'fanfold'
import type { VNode } from 'preact'
import type { Race } from '../../race.ts'

/** Cars that are shown of each count. */
const leadersMax = 3

type Counted = readonly [car: string, count: number]

/** How many watch, and whom they cheer for, vote for and follow; nothing until a crowd is there. */
export function CrowdStrip({ race }: { readonly race: Race }): VNode | null {
  const { viewers, cheers, votes, looks } = race.crowd
  const followed = [...rollup.read(looks, 'minute', Date.now())]
  const isSilent = viewers === 0 && [cheers, votes].every(said => Object.keys(said).length === 0)
  if (isSilent && followed.length === 0) return null
  return (
    <section class="strip crowd" aria-label="Crowd">
      <p class="viewers">
        <small>Watching</small> <b class="number">{viewers.toLocaleString('en')}</b>
      </p>
      <Leaders title="Cheers" race={race} counts={Object.entries(cheers)} />
      <Leaders title="Driver of the day" race={race} counts={Object.entries(votes)} />
      <Leaders title="Followed" race={race} counts={followed} />
    </section>
  )
}

/** The cars with the most, and what share of all that is. */
function Leaders(props: {
  readonly title: string
  readonly race: Race
  readonly counts: readonly Counted[]
}): VNode | null {
  const { title, race, counts } = props
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  const leaders = counts
    .filter(([number, count]) => count > 0 && race.cars[number] !== undefined)
    .toSorted(
      ([one, count], [other, otherCount]) => otherCount - count || Number(one) - Number(other),
    )
    .slice(0, leadersMax)
  if (leaders.length === 0) return null
  return (
    <dl class="leaders">
      <dt>
        <small>{title}</small>
      </dt>
      {leaders.map(([number, count]) => (
        <dd
          key={number}
          title={`${race.cars[number]?.driver}: ${count.toLocaleString('en')}`}
          style={`--team:${race.cars[number]?.colour};--share:${count / total}`}
        >
          <b>{race.cars[number]?.code}</b>
          <span class="number">{Math.round((count / total) * 100)}%</span>
        </dd>
      ))}
    </dl>
  )
}
