/** A number for a reader: whole, its digits in groups. */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')
