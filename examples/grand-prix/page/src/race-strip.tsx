import type { VNode } from 'preact'
import { formatLap, type Race } from '../../race.ts'

/** Race control's latest words, the best of the race, and the weather. */
export function RaceStrip({ race }: { readonly race: Race }): VNode {
  const notices = Object.entries(race.notices).slice(-4).reverse()
  return (
    <section class="strip" aria-label="Race control">
      <ol class="notices" aria-live="polite">
        {notices.map(([key, notice]) => (
          <li key={key} class={`notice is-${notice.flag}`}>
            <i />
            <small>{notice.lap === 0 ? '' : `L${notice.lap}`}</small>
            {notice.text}
          </li>
        ))}
      </ol>
      <FastestLap race={race} />
      <WeatherReport weather={race.weather} />
    </section>
  )
}

function FastestLap({ race }: { readonly race: Race }): VNode | null {
  const best = race.best.lap
  if (best === null) return null
  return (
    <p class="fastest" title="Fastest lap">
      <small>Fastest</small> <b>{race.cars[best.car]?.code}</b>{' '}
      <span key={best.value} class="number mark-overall is-new">
        {formatLap(best.value)}
      </span>
    </p>
  )
}

function WeatherReport({ weather }: { readonly weather: Race['weather'] }): VNode | null {
  if (weather === null) return null
  return (
    <p class="weather">
      <span>
        <small>Air</small> {weather.airCelsius.toFixed(1)}°
      </span>
      <span>
        <small>Track</small> {weather.trackCelsius.toFixed(1)}°
      </span>
      <span class="humidity">
        <small>Hum</small> {weather.humidityPercent.toFixed(0)}%
      </span>
      <span>
        <small>Wind</small> {weather.windMetersPerSecond.toFixed(1)}
        <i
          class="wind"
          style={`rotate:${weather.windDegrees}deg`}
          role="img"
          aria-label="direction"
        >
          ↑
        </i>
      </span>
      <span class={weather.rain ? 'is-rain' : ''}>{weather.rain ? 'RAIN' : 'DRY'}</span>
    </p>
  )
}
