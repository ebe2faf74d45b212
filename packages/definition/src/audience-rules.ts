/* `nobody` and `everybody`: rules that depend on nothing. */

/** A rule by which nobody sees the places of its pattern. */
export const nobody = (): false => false

/** A rule by which all see the places of its pattern. */
export const everybody = (): true => true
