import { connect } from 'node:net'

/** One that has not answered by then is silent, ms. */
const answerMaxMs = 1_000

/** What came of a look at where a member is dialled: somebody is there, nobody listens, or nothing came. */
export type DialOutcome = 'answered' | 'refused' | 'silent'

/** Where an address of a node leads, `ws://host:port` or `wss://…`. */
export function targetOf(address: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(address)
  // Brackets belong to the address of a URL alone.
  const host = hostname.replace(/^\[|\]$/g, '')
  return { host, port: Number(port || (protocol === 'wss:' ? 443 : 80)) }
}

/** Looks whether somebody listens at the address, which a member announced; one that is none is silent. */
export async function dialMember(address: string): Promise<DialOutcome> {
  if (!URL.canParse(address)) return 'silent'
  return await new Promise(resolve => {
    const socket = connect(targetOf(address))
    const end = (outcome: DialOutcome): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(() => end('silent'), answerMaxMs)
    socket.once('connect', () => end('answered'))
    socket.once('error', error => {
      // Only that nobody listens proves something; that no way leads there may be this node's own trouble.
      end('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'silent')
    })
  })
}
