/** Where two texts part, and both from there on, in words. */
export function describeDifference(actual: string, expected: string): string {
  let at = 0
  while (at < actual.length && actual[at] === expected[at]) at++
  const from = Math.max(0, at - 20)
  const excerpt = (text: string): string => JSON.stringify(text.slice(from, at + 60))
  return `differs at character ${at}: ${excerpt(actual)}, the log makes ${excerpt(expected)}`
}
