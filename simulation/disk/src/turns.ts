/** Lets everything go on that waits for nothing but its turn of the loop. */
export const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
