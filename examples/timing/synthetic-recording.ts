/*
 * Recordings that nobody recorded: the shapes and rates of a timing feed, from a seed. Most lines
 * change one number deep in a topic; a few change many cars; some remove members; now and then one
 * carries a long text that means nothing to anybody but its receiver.
 */

import { Prng } from '@fanfold/kernel'
import type { JsonObject, JsonValue } from 'fanfold'

/** One line of a recording. */
export type RecordingLine = {
  /** From 1, in order. */
  readonly seq: number
  /** Since the first line; now and then it goes back a little, as clocks of recorders do. */
  readonly ms: number
  readonly topic: string
  readonly delta: JsonValue
}

/** A state, and the lines that change it one after the other. */
export type SyntheticRecording = {
  readonly state: JsonObject
  /** Has `lineCount` lines; each call begins anew and gives the same. */
  lines(): Generator<RecordingLine, void>
}

/** What to make. */
export type SyntheticRecordingOptions = {
  readonly seed: string
  readonly lineCount: number
  /** Cars, 1 … 99. */
  readonly carCount: number
}

const sectors = 3
const segmentsPerSector = 7

/** A recording; the same options give the same one. */
export function syntheticRecording(options: SyntheticRecordingOptions): SyntheticRecording {
  const { seed, lineCount, carCount } = options
  const numbers = Array.from({ length: carCount }, (_, index) => String(index + 1))
  return {
    state: initialState(numbers),
    *lines() {
      const prng = new Prng(`recording/${seed}`)
      const maker = new LineMaker(prng, numbers)
      let ms = 0
      for (let seq = 1; seq <= lineCount; seq++) {
        // Two in three come within 150 ms of the one before: a burst at each loop of the track.
        ms += prng.chance(0.66) ? prng.below(150) : prng.below(1_000)
        const back = prng.chance(0.008) ? prng.below(400) : 0
        yield { seq, ms: Math.max(0, ms - back), ...maker.next() }
      }
    },
  }
}

/** The lines of a recording as they are in a file, the state apart. */
export function* recordingText(recording: SyntheticRecording): Generator<string, void> {
  for (const line of recording.lines()) yield `${JSON.stringify(line)}\n`
}

type Change = { readonly topic: string; readonly delta: JsonValue }

class LineMaker {
  readonly #prng: Prng
  readonly #numbers: readonly string[]
  #messageCount = 0
  #stintCount = 1

  constructor(prng: Prng, numbers: readonly string[]) {
    this.#prng = prng
    this.#numbers = numbers
  }

  next(): Change {
    const draw = this.#prng.fraction()
    if (draw < 0.7) return this.#segment()
    if (draw < 0.81) return this.#sector()
    if (draw < 0.87) return this.#gaps()
    if (draw < 0.92) return this.#bests()
    if (draw < 0.95) return this.#top()
    if (draw < 0.965) return this.#stint()
    if (draw < 0.985) return { topic: 'Heartbeat', delta: { Utc: this.#text(28), _kf: true } }
    if (draw < 0.992) return this.#weather()
    if (draw < 0.997) return this.#message()
    return { topic: 'Position.z', delta: this.#text(600 + this.#prng.below(5_000)) }
  }

  #segment(): Change {
    const sector = String(this.#prng.below(sectors))
    const segment = String(this.#prng.below(segmentsPerSector))
    const Status = this.#prng.pick([0, 2_048, 2_049, 2_051, 2_064])
    return this.#line({ Sectors: { [sector]: { Segments: { [segment]: { Status } } } } })
  }

  #sector(): Change {
    const sector = String(this.#prng.below(sectors))
    const PersonalFastest = this.#prng.chance(0.2)
    return this.#line({
      Sectors: { [sector]: { Value: this.#time(25), PersonalFastest } },
      Speeds: { ST: { Value: String(250 + this.#prng.below(90)) } },
      NumberOfLaps: this.#prng.below(60),
    })
  }

  #gaps(): Change {
    const Lines: JsonObject = {}
    for (let count = 1 + this.#prng.below(9); count > 0; count--) {
      Lines[this.#prng.pick(this.#numbers)] = {
        GapToLeader: `+${this.#time(40)}`,
        IntervalToPositionAhead: { Value: `+${this.#time(4)}`, Catching: this.#prng.chance(0.5) },
      }
    }
    return { topic: 'TimingData', delta: { Lines } }
  }

  #bests(): Change {
    const Lines: JsonObject = {}
    for (let count = 1 + this.#prng.below(5); count > 0; count--) {
      const best: JsonObject = this.#prng.chance(0.1)
        ? { Value: '', _deleted: ['Position'] }
        : { Value: this.#time(80), Position: 1 + this.#prng.below(this.#numbers.length) }
      Lines[this.#prng.pick(this.#numbers)] = { PersonalBestLapTime: best }
    }
    return { topic: 'TimingStats', delta: { Lines } }
  }

  /** An array, by index; a driver without a name of its own loses what the one before left. */
  #top(): Change {
    const RacingNumber = this.#prng.pick(this.#numbers)
    const line: JsonObject = { RacingNumber, Tla: `C${RacingNumber}`, LapTime: this.#time(80) }
    if (this.#prng.chance(0.4)) line['_deleted'] = ['NameFormat']
    else line['NameFormat'] = 'short'
    return { topic: 'TopThree', delta: { Lines: { [String(this.#prng.below(3))]: line } } }
  }

  #stint(): Change {
    const index = this.#prng.below(this.#stintCount)
    if (this.#stintCount < 6 && this.#prng.chance(0.2)) this.#stintCount += 1
    const stint = { Compound: this.#prng.pick(['SOFT', 'HARD']), TotalLaps: this.#prng.below(40) }
    return {
      topic: 'TimingAppData',
      delta: {
        Lines: { [this.#prng.pick(this.#numbers)]: { Stints: { [String(index)]: stint } } },
      },
    }
  }

  #weather(): Change {
    return {
      topic: 'WeatherData',
      delta: { AirTemp: this.#time(24), TrackTemp: this.#time(40), Rainfall: '0', _kf: true },
    }
  }

  #message(): Change {
    const index = String(this.#messageCount)
    this.#messageCount += 1
    const message = { Category: 'Flag', Message: this.#text(30 + this.#prng.below(90)), Flag: null }
    return { topic: 'RaceControlMessages', delta: { Messages: { [index]: message } } }
  }

  #line(change: JsonObject): Change {
    return { topic: 'TimingData', delta: { Lines: { [this.#prng.pick(this.#numbers)]: change } } }
  }

  #time(seconds: number): string {
    return (seconds + this.#prng.below(3_000) / 1_000).toFixed(3)
  }

  #text(length: number): string {
    let text = ''
    while (text.length < length) text += this.#prng.uint32().toString(36)
    return text.slice(0, length)
  }
}

function initialState(numbers: readonly string[]): JsonObject {
  const each = (line: (number: string, index: number) => JsonObject): JsonObject =>
    Object.fromEntries(numbers.map((number, index) => [number, line(number, index)]))
  const best = (): JsonObject => ({ Value: '' })
  return {
    Heartbeat: { Utc: '', _kf: true },
    WeatherData: { AirTemp: '24.2', TrackTemp: '41.8', Rainfall: '0', _kf: true },
    RaceControlMessages: { Messages: [] },
    TopThree: {
      Lines: numbers.slice(0, 3).map(number => ({ RacingNumber: number, Tla: `C${number}` })),
    },
    TimingAppData: {
      Lines: each((number, index) => ({ RacingNumber: number, Line: index, Stints: [] })),
    },
    TimingStats: {
      Lines: each(number => ({
        RacingNumber: number,
        PersonalBestLapTime: best(),
        BestSectors: [best(), best(), best()],
        BestSpeeds: { I1: best(), I2: best(), FL: best(), ST: best() },
      })),
    },
    TimingData: {
      Lines: each((number, index) => ({
        RacingNumber: number,
        Line: index + 1,
        GapToLeader: '',
        IntervalToPositionAhead: { Value: '', Catching: false },
        NumberOfLaps: 0,
        Sectors: Array.from({ length: sectors }, () => ({
          Stopped: false,
          Value: '',
          PersonalFastest: false,
          Segments: Array.from({ length: segmentsPerSector }, () => ({ Status: 0 })),
        })),
        Speeds: { I1: best(), I2: best(), FL: best(), ST: best() },
      })),
    },
  }
}
