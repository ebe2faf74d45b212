/** A token, without a valid signature, that ends at `expiresAtMs`. */
export const tokenUntil = (expiresAtMs: number): string =>
  ['{"alg":"none"}', JSON.stringify({ sub: 'ä?>', exp: expiresAtMs / 1_000 }), 'signature']
    .map(part => Buffer.from(part).toString('base64url'))
    .join('.')
