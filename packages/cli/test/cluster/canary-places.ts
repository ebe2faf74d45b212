/*
 * Every place from which something could come out, with the marker that lies there, who may see it,
 * and which links may carry it. The constants are in the source of the definitions.
 */

import { newMarker } from './marker.ts'
import type { Answer, Message } from './writer.ts'

/** Who watches `a/canary/x`, and `watcher` who watches `a/canary-view/x`. */
export type ViewerName = 'public' | 'alice' | 'premium' | 'one' | 'two' | 'watcher'

/** A marker, and where it may be found. */
export type Place = {
  readonly marker: string
  readonly viewers: readonly ViewerName[]
  /** The least ceiling of a link that may carry it; undefined when none may. */
  readonly label: number | undefined
}

const all: readonly ViewerName[] = ['public', 'alice', 'premium', 'one', 'two']
const premium: readonly ViewerName[] = ['premium', 'two']

const at = (label: number | undefined, viewers: readonly ViewerName[], marker = newMarker()) => ({
  marker,
  viewers,
  label,
})

/** The places, by name. */
export const places = {
  openName: at(0, all),
  openValue: at(0, all),
  end: at(0, all),
  secretName: at(0, premium),
  secretValue: at(0, premium),
  secretOldValue: at(0, premium),
  ownCard: at(0, ['alice']),
  otherHand: at(0, []),
  otherCard: at(0, []),
  tableShown: at(0, all),
  tableShownLater: at(0, all),
  cardName: at(0, premium),
  card: at(0, premium),
  cardLater: at(0, premium),
  listFirst: at(0, all),
  listHidden: at(0, premium),
  listInserted: at(0, premium),
  laterName: at(0, []),
  laterValue: at(0, []),
  mixedShown: at(0, all),
  mixedSecret: at(0, premium),
  mixedInner: at(1, ['one', 'two']),
  mixedInnerLater: at(1, ['one', 'two']),
  mixedDeeper: at(2, ['two']),
  mixedDeeperLater: at(2, ['two']),
  labelOneName: at(1, ['one', 'two']),
  labelOneValue: at(1, ['one', 'two']),
  labelTwoName: at(2, ['two']),
  labelTwoValue: at(2, ['two']),
  readByRule: at(0, premium),
  fragile: at(0, all),
  fragileWhileBroken: at(0, []),
  phaseThatFailed: at(undefined, []),
  viewShown: at(0, ['watcher']),
  viewShownLater: at(0, ['watcher']),
  viewInner: at(0, []),
  viewHidden: at(0, []),
  audienceTag: at(undefined, []),
  initialName: at(0, [], 'Initial-name-001'),
  initialValue: at(0, [], 'Initial-text-002'),
  handler: at(undefined, [], 'Handler-text-003'),
  handlerError: at(undefined, [], 'Handler-error-04'),
  schema: at(undefined, [], 'Schema-text--005'),
  failure: at(undefined, [], 'Handler-error-06'),
  policy: at(0, [], 'Policy-text--007'),
  thrownByRule: at(0, [], 'Thrown-text--008'),
  labelOnePattern: at(1, ['one', 'two'], 'Label-1-name-009'),
  labelOneRule: at(1, [], 'Label-1-rule-010'),
  labelTwoPattern: at(2, ['two'], 'Label-2-name-011'),
  labelTwoRule: at(2, [], 'Label-2-rule-012'),
  thrownByView: at(0, [], 'View-error---001'),
} as const satisfies Readonly<Record<string, Place>>

const put = (path: readonly string[], value: unknown): Message => ({
  message: 'put',
  value: { path, value },
})

const text = (name: keyof typeof places): string => places[name].marker

/** What fills the places of `a/canary/x`, up to where a rule fails. */
export const fillings: readonly Message[] = [
  put(['open', text('openName')], text('openValue')),
  put(['secret', text('secretName')], text('secretOldValue')),
  put(['secret', text('secretName')], text('secretValue')),
  put(['secret', 'read'], text('readByRule')),
  put(['hands', 'alice'], { card: text('ownCard') }),
  put(['hands', text('otherHand')], { card: text('otherCard') }),
  put(['table'], {
    one: { shown: text('tableShown'), cards: { [text('cardName')]: text('card') } },
  }),
  put(['table'], {
    one: { shown: text('tableShownLater'), cards: [text('cardLater')] },
    two: { cards: {} },
  }),
  put(['list'], [text('listFirst'), { x: text('listHidden') }]),
  put(['list', '1'], text('listInserted')),
  { message: 'drop', value: { path: ['list', '2'] } },
  put(['later'], { [text('laterName')]: text('laterValue') }),
  put(['mixed'], {
    shown: 'x',
    secret: text('mixedSecret'),
    inner: text('mixedInner'),
    deeper: { x: text('mixedDeeper') },
  }),
  put(['mixed'], {
    shown: text('mixedShown'),
    inner: { y: [text('mixedInnerLater')] },
    deeper: text('mixedDeeperLater'),
  }),
  put(['Label-1-name-009', text('labelOneName')], text('labelOneValue')),
  put(['Label-2-name-011', text('labelTwoName')], { z: text('labelTwoValue') }),
  put(['fragile'], text('fragile')),
]

/** From the first on a rule throws; what is written then is shown to nobody. */
export const breakings: readonly Message[] = [
  put(['phase'], 'broken'),
  put(['fragile'], text('fragileWhileBroken')),
]

/** What makes the rule work again, and tells viewers that this was all. */
export const mendings: readonly Message[] = [
  put(['fragile'], 'mended'),
  put(['phase'], 'first'),
  { message: 'drop', value: { path: ['secret', text('secretName')] } },
  put(['open', 'End'], text('end')),
]

/** Messages that are refused, with errors that hold markers. */
export const failings: readonly Message[] = [
  put(['open', 'x'], text('handler')),
  { message: 'fail', value: { text: text('phaseThatFailed') } },
]

/** What a writer is told of `failings`: its own handlers' errors, which is the control of these. */
export const isRefused = ({ type, code }: Answer): boolean =>
  type === 'rejected' && code === 'FANFOLD_HANDLER_FAILED'

const putView = (name: string, value: string): Message => ({
  message: 'put',
  value: { name, value },
})

/** What fills the places of `a/canary-view/x`. */
export const viewFillings: readonly Message[] = [
  putView('hidden', text('viewHidden')),
  putView('inner', text('viewInner')),
  putView('shown', text('viewShown')),
  putView('mode', 'broken'),
]

/** What makes the view work again. */
export const viewMendings: readonly Message[] = [
  putView('mode', 'whole'),
  putView('shown', text('viewShownLater')),
  { message: 'end', value: {} },
]
