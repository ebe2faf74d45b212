/** Where the race is, and as whom to watch it. */
export type Configuration = {
  /** WebSocket address of an edge, without the path of the protocol. */
  readonly observe: string
  readonly document: string
  readonly token: string
}

const defaultDocument = 'demo/grand-prix/corvane'

/**
 * What the server says in `/config.json`; where it says nothing, the page's own origin and the token
 * after the `#` of its address. `?edge=/edge/2` chooses another edge behind the same address.
 */
export async function loadConfiguration(page: Location): Promise<Configuration> {
  const said = await fetchConfiguration()
  const parameters = new URLSearchParams(page.search)
  const hash = page.hash.replace(/^#(token=)?/, '')
  const own = `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}`
  const edge = parameters.get('edge') ?? ''
  return {
    observe: `${said.observe ?? own}${/^(\/[\w.-]+)+$/.test(edge) ? edge : ''}`,
    document: parameters.get('document') ?? said.document ?? defaultDocument,
    token: hash !== '' ? hash : (said.token ?? ''),
  }
}

async function fetchConfiguration(): Promise<Partial<Configuration>> {
  try {
    const response = await fetch('/config.json', { signal: AbortSignal.timeout(5_000) })
    const said: unknown = response.ok ? await response.json() : undefined
    if (typeof said !== 'object' || said === null) return {}
    return {
      ...textMember(said, 'observe'),
      ...textMember(said, 'document'),
      ...textMember(said, 'token'),
    }
  } catch {
    return {}
  }
}

function textMember(object: object, name: keyof Configuration): Partial<Configuration> {
  const value: unknown = Reflect.get(object, name)
  return typeof value === 'string' ? { [name]: value } : {}
}
