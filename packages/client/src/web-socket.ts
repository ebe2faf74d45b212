/** What a socket's listener gets; each kind of event has some of the fields. */
export type WebSocketEvent = {
  readonly type: string
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
}

/** The part of a WebSocket that the client uses: a browser's, Node's or that of `ws`. */
export interface WebSocketLike {
  addEventListener(
    type: 'open' | 'message' | 'close' | 'error',
    listener: (event: WebSocketEvent) => void,
  ): void
  send(text: string): void
  close(code?: number, reason?: string): void
}

/** A class of WebSockets: `globalThis.WebSocket`, or `WebSocket` of `ws`. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike
