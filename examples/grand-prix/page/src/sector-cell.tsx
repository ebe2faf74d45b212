import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import type { Sector } from '../../race.ts'

/** A sector's time and its lights; a light that changes is a new element, and so it flashes. */
export function SectorCell({ sector }: { readonly sector: Sector }): VNode {
  return useMemo(() => {
    const isUnderWay = sector.segments.at(-1) === 'none' && sector.segments[0] !== 'none'
    return (
      <td class="sector">
        <span class="lights" aria-hidden="true">
          {sector.segments.map((mark, index) => (
            <i key={`${index}${mark}`} class={`light is-${mark}`} />
          ))}
        </span>
        <span
          key={`ms${sector.ms}`}
          class={`number is-new mark-${sector.mark} ${isUnderWay ? 'is-old' : ''}`}
        >
          {sector.ms === null ? '' : (sector.ms / 1000).toFixed(3)}
        </span>
      </td>
    )
  }, [sector])
}
