import { lapLayout } from '../race.ts'

/** Loops of a lap. */
export const loopCount: number = lapLayout.sectors * lapLayout.segmentsPerSector

/** Milliseconds that the best car takes from each loop to the next: 74 s in all, three sectors. */
export const loopMs: readonly number[] = [
  4_300, 3_900, 4_400, 3_600, 4_100, 3_700, 4_600, 4_200, 3_800, 4_500, 4_100, 4_300, 3_900, 3_700,
  4_400, 4_000, 4_300, 4_200,
]

/** The loop after which the speed trap stands. */
export const speedTrapLoop = 9

/** Where a loop is: its sector and its segment, from 1. */
export const placeOf = (loop: number): { sector: number; segment: number } => ({
  sector: Math.floor(loop / lapLayout.segmentsPerSector) + 1,
  segment: (loop % lapLayout.segmentsPerSector) + 1,
})
