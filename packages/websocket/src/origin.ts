/**
 * Whether a page of the request's origin may open a WebSocket here.
 *
 * Connections are authorized by tokens and never by cookies, so a foreign page gains nothing by
 * opening one; the check keeps tokens that leaked from being used out of any page.
 *
 * @param request its Origin and Host headers
 * @param origins those allowed beside the host's own, such as `https://app.example.com`; `*` for any
 */
export function isOriginAllowed(
  request: { readonly origin: string | undefined; readonly host: string | undefined },
  origins: readonly string[],
): boolean {
  const { origin, host } = request
  // Programs that are not browsers send none.
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return true
  // `null` is what sandboxed pages and files send: it parses as no URL and must be named to be allowed.
  if (!URL.canParse(origin)) return false
  return new URL(origin).host === host?.toLowerCase()
}
