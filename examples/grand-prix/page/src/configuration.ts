/** Where the race is, and as whom to watch it. */
export type Configuration = {
  /** WebSocket address of an edge, without the path of the protocol. */
  readonly observe: string
  readonly document: string
  /** Asked for each connection: a server that was started anew may know other tokens. */
  readonly token: () => Promise<string>
}

type Said = { readonly [name in 'observe' | 'document' | 'token']?: string }

const defaultDocument = 'demo/grand-prix/corvane'

/**
 * What the server says in `/config.json`; where it says nothing, the page's own origin and the token
 * after the `#` of its address. `?edge=/edge/2` chooses another edge behind the same address.
 */
export async function loadConfiguration(page: Location): Promise<Configuration> {
  const visitor = visitorOf(() => localStorage)
  const said = await fetchConfiguration(visitor).catch((): Said => ({}))
  const parameters = new URLSearchParams(page.search)
  const hash = page.hash.replace(/^#(token=)?/, '')
  const own = `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}`
  const edge = parameters.get('edge') ?? ''
  return {
    observe: `${said.observe ?? own}${/^(\/[\w.-]+)+$/.test(edge) ? edge : ''}`,
    document: parameters.get('document') ?? said.document ?? defaultDocument,
    token: async () => (hash !== '' ? hash : ((await fetchConfiguration(visitor)).token ?? '')),
  }
}

/** Who looks, the same in each visit: one vote is theirs. Where nothing can be kept, in this one alone. */
function visitorOf(storage: () => Storage): string {
  const name = crypto.randomUUID().replaceAll('-', '')
  try {
    const kept = storage().getItem('visitor') ?? name
    storage().setItem('visitor', kept)
    return kept
  } catch {
    return name
  }
}

/** @throws Error when there is no answer to be had; a server without the file has nothing to say */
async function fetchConfiguration(visitor: string): Promise<Said> {
  const response = await fetch(`/config.json?visitor=${visitor}`, {
    signal: AbortSignal.timeout(5_000),
  })
  if (response.status >= 500) throw new Error(`/config.json: ${response.status}`)
  const said: unknown = response.ok ? await response.json() : undefined
  if (typeof said !== 'object' || said === null) return {}
  return {
    ...textMember(said, 'observe'),
    ...textMember(said, 'document'),
    ...textMember(said, 'token'),
  }
}

function textMember(object: object, name: keyof Said): Said {
  const value: unknown = Reflect.get(object, name)
  return typeof value === 'string' ? { [name]: value } : {}
}
