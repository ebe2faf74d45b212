/** `count` fresh bytes from the driver's source of chance; the caller owns them. */
export type RandomBytes = (count: number) => Uint8Array
