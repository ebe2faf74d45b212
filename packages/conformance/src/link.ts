/*
 * What every adapter of the Link port does, whatever it is made of: sockets, queues in a process, or
 * a simulated network. An adapter's test opens a rig, one side that dials and one that listens, and
 * hands it to `testLinkPort`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert } from '@fanfold/kernel'
import { type LinkEffect, type LinkId, type LinkInput, limits } from '@fanfold/protocol'
import type { Test } from 'tap'

/** One side of a rig. */
export interface LinkSide {
  perform(effect: LinkEffect): void
}

/** Two sides that can be linked, with nothing else on the way. */
export interface LinkRig {
  readonly dialler: LinkSide
  readonly listener: LinkSide
  /** Starts to open a link from `dialler` to `listener`; returns the dialler's name for it. */
  dial(): LinkId
  /** Keeps everything from arriving anywhere, as a network does that is stuck, until `unstall`. */
  stall(): void
  unstall(): void
  /** Ends everything; nothing is reported from then on. */
  close(): Promise<void>
}

/** Makes a rig whose sides report to these functions. */
export type OpenLinkRig = (reports: {
  readonly dialler: (input: LinkInput) => void
  readonly listener: (input: LinkInput) => void
}) => Promise<LinkRig>

/** A link's two names. */
type Pair = { readonly dialler: LinkId; readonly listener: LinkId }

/** Frames a rig must take before its sender is congested, at the very most: 64 MiB. */
const stalledFramesMax = 1_024
const stalledFrameBytes = 65_536

/** Adds the tests of the Link port to `t`, for one adapter. */
export function testLinkPort(t: Test, open: OpenLinkRig): void {
  t.test('a link opens on both sides and says which of them dialled', async t => {
    const bench = await Bench.open(t, open)
    const { dialler, listener } = await bench.link()
    t.same(bench.dialler.kindsOf(dialler), ['link-opened'])
    t.same(bench.listener.kindsOf(listener), ['link-opened'])
    t.match(bench.dialler.inputs[0], { dialled: true })
    t.match(bench.listener.inputs[0], { dialled: false })
  })

  t.test('frames arrive whole, in order and byte for byte, both ways', async t => {
    const bench = await Bench.open(t, open)
    const pair = await bench.link()
    const sizes = [1, 2, 125, 126, 127, 4_096, 65_535, 65_536, 65_537, 200_000, 3]
    const frames = sizes.map((size, index) => frameOf(size, index))
    for (const frame of frames) {
      bench.rig.dialler.perform({ kind: 'link-send', link: pair.dialler, frame: frame.slice() })
      bench.rig.listener.perform({ kind: 'link-send', link: pair.listener, frame: frame.slice() })
    }
    const atListener = await bench.listener.frames(pair.listener, frames.length)
    const atDialler = await bench.dialler.frames(pair.dialler, frames.length)
    t.ok(sameFrames(atListener, frames))
    t.ok(sameFrames(atDialler, frames))
  })

  t.test('the largest frame arrives, and one byte more closes the link', async t => {
    const bench = await Bench.open(t, open)
    const { dialler, listener } = await bench.link()
    const largest = frameOf(limits.linkFrameBytesMax.value, 7)
    bench.rig.dialler.perform({ kind: 'link-send', link: dialler, frame: largest.slice() })
    t.ok(sameFrames(await bench.listener.frames(listener, 1), [largest]))
    const tooLarge = frameOf(limits.linkFrameBytesMax.value + 1, 8)
    bench.rig.dialler.perform({ kind: 'link-send', link: dialler, frame: tooLarge })
    await bench.dialler.closed(dialler)
    await bench.listener.closed(listener)
    t.equal(bench.listener.framesOf(listener).length, 1)
  })

  for (const closer of ['dialler', 'listener'] as const) {
    t.test(`a close by the ${closer} is reported once on both sides`, async t => {
      const bench = await Bench.open(t, open)
      const pair = await bench.link()
      const close = closeEffect(pair[closer])
      bench.rig[closer].perform(close)
      bench.rig[closer].perform(close)
      t.match(await bench[closer].closed(pair[closer]), /FANFOLD_FENCED/)
      await bench.dialler.closed(pair.dialler)
      await bench.listener.closed(pair.listener)
      await bench.settle()
      t.same(bench.dialler.kindsOf(pair.dialler), ['link-opened', 'link-closed'])
      t.same(bench.listener.kindsOf(pair.listener), ['link-opened', 'link-closed'])
    })
  }

  t.test('closes that cross are reported once on both sides', async t => {
    const bench = await Bench.open(t, open)
    const { dialler, listener } = await bench.link()
    bench.rig.dialler.perform(closeEffect(dialler))
    bench.rig.listener.perform(closeEffect(listener))
    await bench.dialler.closed(dialler)
    await bench.listener.closed(listener)
    await bench.settle()
    t.same(bench.dialler.kindsOf(dialler), ['link-opened', 'link-closed'])
    t.same(bench.listener.kindsOf(listener), ['link-opened', 'link-closed'])
  })

  t.test('nothing arrives after a link closed, whatever was on its way', async t => {
    const bench = await Bench.open(t, open)
    const { dialler, listener } = await bench.link()
    // Closed from within the third frame's own report, where the next may be in hand already.
    bench.listener.onInput = input => {
      if (input.kind !== 'link-frame' || bench.listener.framesOf(listener).length !== 3) return
      bench.rig.listener.perform(closeEffect(listener))
    }
    for (let index = 0; index < 20; index++) {
      bench.rig.dialler.perform({ kind: 'link-send', link: dialler, frame: frameOf(100, index) })
    }
    await bench.listener.closed(listener)
    await bench.dialler.closed(dialler)
    bench.rig.dialler.perform({ kind: 'link-send', link: dialler, frame: frameOf(100, 1) })
    await bench.settle()
    t.equal(bench.listener.framesOf(listener).length, 3)
    t.equal(bench.listener.kindsOf(listener).at(-1), 'link-closed')
    t.equal(bench.dialler.kindsOf(dialler).at(-1), 'link-closed')
  })

  t.test('nothing is reported from inside an effect', async t => {
    const bench = await Bench.open(t, open)
    const { dialler } = await bench.link()
    const before = bench.dialler.inputs.length
    bench.rig.dialler.perform({ kind: 'link-send', link: dialler, frame: frameOf(100, 1) })
    bench.rig.dialler.perform(closeEffect(dialler))
    t.equal(bench.dialler.inputs.length, before)
    await bench.dialler.closed(dialler)
  })

  t.test('effects on a link that is closed, or never was, do nothing', async t => {
    const bench = await Bench.open(t, open)
    const { dialler, listener } = await bench.link()
    bench.rig.dialler.perform(closeEffect(dialler))
    await bench.dialler.closed(dialler)
    await bench.listener.closed(listener)
    const never = (dialler + 1_000_000) as LinkId
    for (const link of [dialler, never]) {
      bench.rig.dialler.perform({ kind: 'link-send', link, frame: frameOf(10, 1) })
      bench.rig.dialler.perform(closeEffect(link))
    }
    await bench.settle()
    t.same(bench.dialler.kindsOf(dialler), ['link-opened', 'link-closed'])
    t.same(bench.dialler.kindsOf(never), [])
  })

  t.test('a stuck way makes the sender congested, then drained, and nothing is lost', async t => {
    const bench = await Bench.open(t, open)
    const { dialler, listener } = await bench.link()
    bench.rig.stall()
    let sent = 0
    while (!bench.dialler.has(dialler, 'link-congested') && sent < stalledFramesMax) {
      const frame = frameOf(stalledFrameBytes, sent++)
      bench.rig.dialler.perform({ kind: 'link-send', link: dialler, frame })
      await nextTurn()
    }
    t.ok(bench.dialler.has(dialler, 'link-congested'), 'the sender is told')
    t.notOk(bench.dialler.has(dialler, 'link-drained'))
    bench.rig.unstall()
    await bench.dialler.input(dialler, 'link-drained')
    const arrived = await bench.listener.frames(listener, sent)
    t.ok(arrived.every((frame, index) => frame[1] === index % 251))
    t.equal(bench.dialler.kindsOf(dialler).filter(kind => kind === 'link-congested').length, 1)
  })

  t.test('a sender that does not hold back loses the link, not the memory', async t => {
    const bench = await Bench.open(t, open)
    const { dialler } = await bench.link()
    bench.rig.stall()
    let sent = 0
    while (!bench.dialler.has(dialler, 'link-closed') && sent < stalledFramesMax) {
      const frame = frameOf(stalledFrameBytes, sent++)
      bench.rig.dialler.perform({ kind: 'link-send', link: dialler, frame })
      await nextTurn()
    }
    t.ok(bench.dialler.has(dialler, 'link-congested'), 'it was told first')
    t.match(await bench.dialler.closed(dialler), /^overloaded: /)
  })

  t.test('many links carry their own frames', async t => {
    const bench = await Bench.open(t, open)
    const count = 40
    const pairs: Pair[] = []
    for (let index = 0; index < count; index++) pairs.push(await bench.link())
    for (const round of [0, 1, 2]) {
      for (const [index, pair] of pairs.entries()) {
        const frame = frameOf(50 + round, index)
        bench.rig.dialler.perform({ kind: 'link-send', link: pair.dialler, frame })
      }
    }
    for (const [index, pair] of pairs.entries()) {
      const frames = await bench.listener.frames(pair.listener, 3)
      t.ok(sameFrames(frames, [frameOf(50, index), frameOf(51, index), frameOf(52, index)]))
    }
    t.equal(new Set(pairs.flatMap(pair => [pair.dialler])).size, count)
  })
}

/** A frame of so many bytes that no adapter takes for one of its own handshake or liveness. */
function frameOf(size: number, seed: number): Uint8Array {
  const frame = new Uint8Array(size)
  for (let index = 2; index < size; index++) frame[index] = (index * 31 + seed * 17) & 0xff
  frame[0] = 200
  if (size > 1) frame[1] = seed % 251
  return frame
}

function sameFrames(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): boolean {
  return (
    actual.length === expected.length &&
    actual.every((frame, index) => Buffer.compare(frame, expected[index] ?? new Uint8Array()) === 0)
  )
}

const closeEffect = (link: LinkId): LinkEffect => ({
  kind: 'link-close',
  link,
  code: 'FANFOLD_FENCED',
  message: 'the test closes it',
})

/** What one side has reported, and who waits for more. */
class Recorder {
  readonly inputs: LinkInput[] = []
  onInput: (input: LinkInput) => void = () => undefined
  #waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = []

  record(input: LinkInput): void {
    this.inputs.push(input)
    this.onInput(input)
    this.#waiting = this.#waiting.filter(({ isMet, resolve }) => {
      if (!isMet()) return true
      resolve()
      return false
    })
  }

  of(link: LinkId): LinkInput[] {
    return this.inputs.filter(input => input.link === link)
  }

  kindsOf(link: LinkId): string[] {
    return this.of(link).map(input => input.kind)
  }

  framesOf(link: LinkId): Uint8Array[] {
    return this.of(link).flatMap(input => (input.kind === 'link-frame' ? [input.frame] : []))
  }

  has(link: LinkId, kind: LinkInput['kind']): boolean {
    return this.inputs.some(input => input.link === link && input.kind === kind)
  }

  async until(isMet: () => boolean): Promise<void> {
    if (isMet()) return
    await new Promise<void>(resolve => this.#waiting.push({ isMet, resolve }))
  }

  async input(link: LinkId, kind: LinkInput['kind']): Promise<void> {
    await this.until(() => this.has(link, kind))
  }

  async frames(link: LinkId, count: number): Promise<Uint8Array[]> {
    await this.until(() => this.framesOf(link).length >= count)
    return this.framesOf(link)
  }

  async closed(link: LinkId): Promise<string> {
    await this.input(link, 'link-closed')
    const closed = this.of(link).find(input => input.kind === 'link-closed')
    assert(closed?.kind === 'link-closed', 'the input just waited for is there')
    return closed.reason
  }
}

/** A rig with what its two sides reported; closed with its test. */
class Bench {
  readonly dialler: Recorder
  readonly listener: Recorder
  readonly rig: LinkRig

  private constructor(rig: LinkRig, dialler: Recorder, listener: Recorder) {
    this.rig = rig
    this.dialler = dialler
    this.listener = listener
  }

  static async open(t: Test, open: OpenLinkRig): Promise<Bench> {
    const dialler = new Recorder()
    const listener = new Recorder()
    const rig = await open({
      dialler: input => dialler.record(input),
      listener: input => listener.record(input),
    })
    t.teardown(() => rig.close())
    return new Bench(rig, dialler, listener)
  }

  /** Opens a link, one at a time, so that the two sides' names for it are known. */
  async link(): Promise<Pair> {
    const before = openedLinks(this.listener).length
    const dialler = this.rig.dial()
    await this.dialler.input(dialler, 'link-opened')
    await this.listener.until(() => openedLinks(this.listener).length > before)
    const listener = openedLinks(this.listener)[before]
    assert(listener !== undefined, 'the listener reported the link it accepted')
    return { dialler, listener }
  }

  /** Opens and uses another link: what was on its way meanwhile has arrived. */
  async settle(): Promise<void> {
    const { dialler, listener } = await this.link()
    this.rig.dialler.perform({ kind: 'link-send', link: dialler, frame: frameOf(1, 0) })
    await this.listener.frames(listener, 1)
  }
}

function openedLinks(recorder: Recorder): LinkId[] {
  return recorder.inputs.flatMap(input => (input.kind === 'link-opened' ? [input.link] : []))
}
