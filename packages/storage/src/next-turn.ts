/** Lets the loop do what else is due. */
export const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
