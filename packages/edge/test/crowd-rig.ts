/* An edge whose viewers say something, and a parent that counts it as an authority does. */
import { countBy, type EdgeDefinition, type EdgeReducer, vote } from '@fanfold/definition'
import {
  encodeLinkFrame,
  type LinkFrame,
  type LinkId,
  type ViewerFrame,
  type ViewerId,
} from '@fanfold/protocol'
import { decodeAggregate, decodeContent, encodeStandings, Ledger } from '@fanfold/reduction'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { Rig, type RigLimits } from './build-edge.ts'
import { define, doc, parent, snapshot, viewer, welcome } from './edge-log.ts'

/** What the tests' viewers cheer for. */
export const cheers = countBy({ top: 8 })
/** What they vote for. */
export const votes = vote()

const text: StandardSchemaV1 = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: value =>
      typeof value === 'string' ? { value } : { issues: [{ message: 'a text' }] },
  },
}

/** A reducer that takes texts. */
export const reducerOf = (
  into: EdgeReducer['into'],
  of: EdgeReducer['of'] = value => value,
): EdgeReducer => ({ schema: text, of, into })

/** A definition with what viewers may say. */
export const speaking = (more: EdgeDefinition['reducers'] = {}): EdgeDefinition =>
  define({ reducers: { cheer: reducerOf(cheers), poll: reducerOf(votes), ...more } })

type Crowd = Extract<LinkFrame, { kind: 'crowd' }>

/** An edge, and a parent that answers when it is told to. */
export class CrowdRig {
  readonly rig: Rig
  /** The authority's. */
  ledger = new Ledger()
  /** Sums that were counted. */
  counted = cheers.empty()
  /** How long the parent wants the edge to wait. */
  waitMs = 0
  link: LinkId = parent
  #heard: Crowd[] = []
  #lastSession = 0

  constructor(limits: RigLimits = {}, definition = speaking()) {
    this.rig = new Rig(limits)
    this.rig.load('open', definition)
    this.rig.openParent()
    this.come(viewer(1))
    this.rig.frame(welcome('snapshot', 10), ...snapshot(10))
    this.rig.got(viewer(1))
    this.rig.effects()
  }

  /** A viewer comes and observes the document. */
  come(id: ViewerId, subject = `subject ${id}`): void {
    this.rig.open(id, { subject })
    this.rig.observe(id)
    this.rig.got(id)
  }

  /** A viewer says something; what it is answered at once. */
  add(
    id: ViewerId,
    value: unknown,
    more: { id?: number | string; reducer?: string; stamp?: number } = {},
  ): ViewerFrame[] {
    const { reducer = 'cheer', stamp } = more
    this.rig.request(id, { type: 'add', doc, reducer, value, id: more.id, stamp })
    return this.rig.got(id)
  }

  /** What the edge has said of the crowd since the last time, after it has done what is due. */
  said(): Crowd[] {
    this.rig.pass(0)
    const said = this.rig.sent().flatMap(frame => (frame.kind === 'crowd' ? [frame] : []))
    this.#heard.push(...said)
    return said
  }

  /** The parent counts what it has heard, and answers. */
  answer(): void {
    this.said()
    for (const crowd of this.#heard.splice(0)) this.tell(this.judge(crowd))
  }

  /** The authority seals the session that it began last, if it is open: nothing more of it counts. */
  seal(): void {
    const session = this.#lastSession
    if (this.ledger.standingsOf([session])[0]?.state !== 'open') return
    this.ledger.enter({ opened: [], sealed: [session], counted: [] })
  }

  /** The authority has forgotten all sessions, and begins none of them again. */
  forget(): void {
    this.ledger = new Ledger()
  }

  /** What the parent has heard is lost. */
  lose(): void {
    this.said()
    this.#heard = []
  }

  /** What the authority makes of it. */
  judge({ number, asked, aggregate: bytes }: Crowd): LinkFrame {
    const opened = Array.from({ length: asked }, () => ++this.#lastSession)
    this.ledger.enter({ opened, sealed: [], counted: [] })
    const aggregate = bytes.length === 0 ? undefined : decodeAggregate(bytes)
    const ranges = aggregate?.ranges ?? []
    if (aggregate !== undefined && this.ledger.takes(ranges)) {
      this.ledger.enter({ opened: [], sealed: [], counted: ranges })
      for (const { reducer, bytes: sum } of decodeContent(aggregate.content)) {
        if (reducer !== 'cheer') continue
        this.counted = cheers.merge(this.counted, cheers.decode(sum)) ?? this.counted
      }
    }
    const standings = this.ledger.standingsOf(ranges.map(({ session }) => session))
    return {
      kind: 'crowd-answer',
      doc,
      number,
      waitMs: this.waitMs,
      sessions: opened,
      standings: standings.length === 0 ? new Uint8Array(0) : encodeStandings(standings),
    }
  }

  tell(frame: LinkFrame): void {
    this.rig.take({ kind: 'link-frame', link: this.link, frame: encodeLinkFrame(frame) })
    this.rig.pass(0)
  }

  /** The parent answers until nothing is left, however long that takes. */
  settle(): void {
    for (let round = 0; round < 12; round++) {
      this.rig.pass(this.waitMs)
      this.answer()
    }
  }

  /** How often each kind was counted. */
  get counts(): Record<string, number> {
    return Object.fromEntries(cheers.read(this.counted))
  }

  /** What the viewer was told became of which ids. */
  told(id: ViewerId): [outcome: string, id: number | string][] {
    return this.rig
      .got(id)
      .flatMap(frame =>
        frame.type === 'counted' || frame.type === 'unknown' ? [[frame.type, frame.id]] : [],
      )
  }

  /** What the edge noted of the crowd since the last time, as words. */
  facts(): string[] {
    return this.rig.effects().flatMap(effect => {
      if (effect.kind !== 'fact') return []
      const { fact } = effect
      if (fact.event === 'crowd-heard') return ['heard']
      if (fact.event === 'crowd-rejected') return [fact.code]
      if (fact.event === 'crowd-settled') return [`${fact.outcome} ${fact.messages}`]
      return fact.event === 'crowd-failed' ? ['failed'] : []
    })
  }
}
