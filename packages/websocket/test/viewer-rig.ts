import type { IssuedCertificate } from '@fanfold/conformance'
import { encodeUtf8 } from '@fanfold/kernel'
import type { SendAll } from '@fanfold/native'
import type { Grants, ViewerEffect, ViewerId, ViewerInput } from '@fanfold/protocol'
import { observeLimitsDefault, UpgradeRouter, ViewerSockets } from '@fanfold/websocket'
import type { Test } from 'tap'
import { grants, TestClient, until } from './client-rig.ts'
import { listen } from './http-server.ts'
import { ManualClock } from './manual-clock.ts'

let viewerIds = 0

/** Viewers on a real server, and what they reported. */
export type Rig = {
  readonly viewers: ViewerSockets
  readonly inputs: ViewerInput[]
  readonly clock: ManualClock
  readonly port: number
  readonly connect: (options?: ConstructorParameters<typeof TestClient>[2]) => TestClient
  /** Connects and waits until the viewer is reported. */
  readonly open: (
    token?: string,
    options?: Omit<ConstructorParameters<typeof TestClient>[2], 'token'>,
  ) => Promise<{ client: TestClient; viewer: ViewerId }>
  readonly perform: (...effects: ViewerEffect[]) => void
}

const tokens: Record<string, () => Grants> = {
  good: () => grants(),
  short: () => grants({ expiresAtMs: 1_800_000_010_000 }),
  expired: () => grants({ expiresAtMs: 1_799_999_999_999 }),
}

let sendAll: SendAll | undefined

/** Has all rigs from now on write as the native addon does it. */
export function sendBy(addon: SendAll): void {
  sendAll = addon
}

/** Opens viewers with limits of the test's own. */
export async function rig(
  t: Test,
  overrides: {
    readonly limits?: Partial<typeof observeLimitsDefault>
    readonly verifyToken?: (token: string) => Promise<Grants>
    readonly tokensVerifyingMax?: number
    readonly clock?: ManualClock
    readonly isCompressing?: boolean
    /** What the port shows over TLS, and who vouches for it; a plain port when left out. */
    readonly tls?: { readonly served: IssuedCertificate; readonly authority: string }
  } = {},
): Promise<Rig> {
  const inputs: ViewerInput[] = []
  const clock = overrides.clock ?? new ManualClock()
  const viewers = new ViewerSockets({
    verifyToken:
      overrides.verifyToken ??
      (async token => {
        const found = tokens[token]
        if (found === undefined) throw new Error('a secret reason')
        return found()
      }),
    nextViewer: () => ++viewerIds as ViewerId,
    report: input => inputs.push(input),
    limits: { ...observeLimitsDefault, ...overrides.limits },
    tokensVerifyingMax: overrides.tokensVerifyingMax,
    clock,
    sendAll,
  })
  t.teardown(() => viewers.close())
  const router = new UpgradeRouter({
    origins: [],
    connectionsMax: 100,
    isCompressing: overrides.isCompressing,
  })
  router.add('', { observe: viewers })
  const { port } = await listen(t, router, overrides.tls?.served)
  const scheme = overrides.tls === undefined ? 'ws' : 'wss'
  const connectClient: Rig['connect'] = options =>
    new TestClient(t, `${scheme}://127.0.0.1:${port}/v1/observe`, {
      authority: overrides.tls?.authority,
      ...options,
    })
  return {
    viewers,
    inputs,
    clock,
    port,
    connect: connectClient,
    open: async (token = 'good', options = {}) => {
      const before = inputs.length
      const client = connectClient({ token, ...options })
      const opened = () => inputs.slice(before).find(input => input.kind === 'viewer-opened')
      await until(() => opened() !== undefined && client.isOpen)
      return { client, viewer: opened()?.viewer ?? (0 as ViewerId) }
    },
    perform: (...effects) => {
      for (const effect of effects) viewers.perform(effect)
    },
  }
}

/** The bytes of a frame. */
export const text = (value: unknown) => encodeUtf8(JSON.stringify(value))
/** A request. */
export const observe = { type: 'observe', doc: 'acme/match/final' }
