/**
 * What a problem is, without what it is about: its text with no times, numbers, names that have one, or
 * quoted content. Two worlds that fail by problems of one kind fail in the same way, as far as one can
 * tell.
 */
export function problemKind(problem: string): string {
  const [line = ''] = problem.split('\n')
  return line
    .replace(/^at \d+ µs: /, '')
    .replace(/"(?:[^"\\]|\\.)*"/g, '#')
    .replace(/[{[].*[}\]]/g, '#')
    .replace(/[^\s,;:()]*\d[^\s,;:()]*/g, '#')
    .replace(/#(?:[\s,;:]*#)+/g, '#')
}
