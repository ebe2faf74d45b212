/* What the timing feed and the crowd say, and the bounds of it: nothing else gets into the document. */
import { z } from 'zod'
import { lapLayout } from './race.ts'

const car = z.int().min(1).max(99)
const sector = z.int().min(1).max(lapLayout.sectors)
const segment = z.int().min(1).max(lapLayout.segmentsPerSector)
const compound = z.enum(['soft', 'medium', 'hard', 'wet'])
/** A time that a loop or a lap can take: under an hour. */
const ms = z.int().min(1).max(3_600_000)
/** The race's clock: under a day. */
const atMs = z.int().min(0).max(86_400_000)
const text = z.string().max(120)

const entry = z.strictObject({
  number: car,
  code: z.string().length(3),
  driver: z.string().max(40),
  team: z.string().max(40),
  colour: z.string().regex(/^#[0-9a-f]{6}$/),
  compound,
})

/** The schema of each message, by its name. */
export const schemas = {
  /** A new race: everything of the one before is gone but the winners. */
  newRace: z.strictObject({
    name: text,
    circuit: text,
    laps: z.int().min(1).max(99),
    entries: z.array(entry).min(1).max(30),
  }),
  /** A car takes its place on the grid. */
  gridPlace: z.strictObject({ car, place: z.int().min(1).max(30) }),
  formation: z.strictObject({}),
  /** Red lights above the grid; none, after the formation lap, is the start. */
  lights: z.strictObject({ lit: z.int().min(0).max(5) }),
  /** A car passed a loop inside a sector. */
  segment: z.strictObject({ car, sector, segment, ms }),
  /** A car passed the end of a sector; that of the third is the line. */
  sector: z.strictObject({ car, sector, ms, segmentMs: ms, atMs }),
  speed: z.strictObject({ car, kmh: z.int().min(1).max(450) }),
  pitIn: z.strictObject({ car }),
  pitOut: z.strictObject({ car, compound, stationaryMs: ms }),
  retire: z.strictObject({ car, reason: text }),
  track: z.strictObject({
    status: z.enum(['clear', 'yellow', 'safety-car']),
    sector: sector.nullable(),
  }),
  weather: z.strictObject({
    airCelsius: z.number().min(-30).max(60),
    trackCelsius: z.number().min(-30).max(90),
    humidityPercent: z.number().min(0).max(100),
    windMetersPerSecond: z.number().min(0).max(60),
    windDegrees: z.int().min(0).max(359),
    rain: z.boolean(),
  }),
  /** Words from race control. */
  notice: z.strictObject({ text }),
}

/** What the crowd says, and what it looks at: a car. */
export const crowdSchemas = {
  forCar: z.strictObject({ car }),
  /** The view state of who follows one; others have none. */
  followed: z.strictObject({ car }),
}

/** What a message of the name carries. */
export type MessageValue<Name extends keyof typeof schemas> = z.infer<(typeof schemas)[Name]>

/** A message of any name, with its value. */
export type RaceMessage = {
  [Name in keyof typeof schemas]: { readonly message: Name; readonly value: MessageValue<Name> }
}[keyof typeof schemas]
