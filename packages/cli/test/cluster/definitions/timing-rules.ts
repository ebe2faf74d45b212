/* Who sees what of a timing feed, for the definitions that hide some of it. */
import type { Viewer } from 'fanfold'

/** Who watches a timing feed: the press sees all of it, a team what is about its own car. */
export type Audience = { readonly isPress: boolean; readonly car: string }

/** Read off the claims `press` and `car`. */
export const audienceOf = ({ claims }: Viewer): Audience => ({
  isPress: claims['press'] === true,
  car: typeof claims['car'] === 'string' ? claims['car'] : '',
})

/** Seen by the press. */
export const press = ({ isPress }: Audience): boolean => isPress

/** Lines by number of car: seen by the press, and each by its team. */
export const ownLine = ({ isPress, car }: Audience, { key }: { readonly key: string }): boolean =>
  isPress || key === car

/** The place that says who leads. */
export const leaderPath = '/TopThree/Lines/0/RacingNumber'

/** Lines by number of car: seen as `ownLine` says, and by all that of the one who leads. */
export const leadingLine = (
  audience: Audience,
  context: { readonly key: string; readonly reads: Readonly<Record<string, unknown>> },
): boolean => ownLine(audience, context) || context.reads[leaderPath] === context.key

/** Elements of an array: all but the second are seen by everybody. */
export const notSecond = ({ isPress }: Audience, { key }: { readonly key: string }): boolean =>
  isPress || key !== '1'
