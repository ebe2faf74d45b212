import type { Entry } from '../race.ts'

/** Twenty drivers and ten teams, all invented. */
export const entries: readonly Entry[] = [
  team('Northlight', '#4fa3ff', [8, 'HAL', 'Mika Halloran'], [27, 'OKA', 'Jun Okabe']),
  team('Kestrel', '#ff6b4a', [3, 'LIN', 'Teo Lindqvist'], [61, 'RSU', 'Ana Rosseu']),
  team('Aurum', '#f2c14e', [12, 'VEN', 'Dario Venn'], [71, 'ADA', 'Kofi Adare']),
  team('Solano', '#35d0a5', [17, 'MTL', 'Lucía Montal'], [36, 'ZAN', 'Piet Zandvik']),
  team('Halcyon', '#b48cff', [9, 'STO', 'Freya Storhaug'], [52, 'KAR', 'Emil Karsk']),
  team('Brightwater', '#5ad1ff', [21, 'SAH', 'Noor Sahine'], [88, 'PEM', 'Cai Pembrook']),
  team('Tessera', '#ff8fc7', [19, 'QUI', 'Rafael Quirz'], [64, 'UED', 'Hana Uedo']),
  team('Ironbark', '#9bd34f', [39, 'TOL', 'Jack Tollivar'], [73, 'ILV', 'Mara Ilvese']),
  team('Meridian', '#e8e8ee', [25, 'BRA', 'Owen Brandtt'], [90, 'TUA', 'Sefa Tualo']),
  team('Cobalt Nine', '#3f6bff', [6, 'MRC', 'Luc Marchett'], [47, 'DAN', 'Viktor Danek']),
].flat()

function team(
  name: string,
  colour: string,
  ...drivers: (readonly [number: number, code: string, driver: string])[]
): Entry[] {
  return drivers.map(([number, code, driver]) => ({ number, code, driver, team: name, colour }))
}
