/* What a change costs is counted in questions to rules and looks at members, not in time. */
import type { JsonObject, JsonValue, PatchOperation } from '@fanfold/document'
import t from 'tap'
import { CohortView } from '../src/cohort-view.ts'
import { StagedChange } from '../src/staged-change.ts'
import { ViewRules } from '../src/view-rules.ts'
import { define, nobody } from './build-view.ts'

/** Stand-ins that count each look at a member, and each list of names as a look at all of them. */
class Counter {
  looks = 0
  readonly #standIns: Map<object, JsonValue> = new Map()

  counted(value: JsonValue): JsonValue {
    if (typeof value !== 'object' || value === null) return value
    const known = this.#standIns.get(value)
    if (known !== undefined) return known
    const standIn = new Proxy<JsonObject | JsonValue[]>(value, {
      get: (target, name) => {
        this.looks++
        return this.counted(Reflect.get(target, name))
      },
      ownKeys: target => {
        const names = Reflect.ownKeys(target)
        this.looks += names.length
        return names
      },
    })
    this.#standIns.set(value, standIn)
    return standIn
  }
}

/** Looks and questions of one change to a document with so many rooms. */
function costOf(rooms: number, patch: readonly PatchOperation[]): { looks: number; asked: number } {
  const counter = new Counter()
  let asked = 0
  const definition = define({
    '/rooms/*': () => {
      asked++
      return true
    },
    '/rooms/*/secret': nobody,
    '/plans/*': {
      reads: ['/teams/*'],
      allow(_, { reads }) {
        asked++
        return reads['/teams/*'] === 1
      },
    },
  })
  const names = Array.from({ length: rooms }, (_, index) => `r${index}`)
  const tableOf = (value: (name: string) => JsonValue): JsonObject =>
    Object.fromEntries(names.map(name => [name, value(name)]))
  const state = {
    rooms: tableOf(name => ({ name, secret: 1, guests: names.slice(0, 3) })),
    plans: tableOf(() => ({ x: 1 })),
    teams: tableOf(() => 0),
    log: names,
  }
  const watched = counter.counted(state) as JsonObject
  const rules = new ViewRules(definition)
  const cohort = new CohortView({ rules, audience: 1, clearance: 0, viewState: undefined })
  const change = new StagedChange(rules, watched, patch)
  cohort.stage(change)
  // The state is not changed: what is looked at afterwards is as large as it was.
  cohort.settle(change, watched)
  return { looks: counter.looks, asked }
}

const changes: { readonly [what: string]: readonly PatchOperation[] } = {
  'a member where no rule is': [{ op: 'add', path: '/score', value: 1 }],
  'a member behind a rule': [{ op: 'replace', path: '/rooms/r7/secret', value: 2 }],
  'a container with rules below it': [{ op: 'add', path: '/rooms/r7', value: { name: 'new' } }],
  'a member that goes away': [{ op: 'remove', path: '/rooms/r7' }],
  'an element at the end of an array': [{ op: 'add', path: '/log/-', value: 'x' }],
  'what a rule reads for one key': [{ op: 'replace', path: '/teams/r7', value: 1 }],
  'a move': [{ op: 'move', from: '/rooms/r7', path: '/rooms/s7' }],
  'several at once': [
    { op: 'replace', path: '/rooms/r7/name', value: 'x' },
    { op: 'replace', path: '/rooms/r8/name', value: 'y' },
    { op: 'remove', path: '/plans/r9' },
  ],
}

for (const [what, patch] of Object.entries(changes)) {
  t.test(`the cost does not follow the document: ${what}`, async t => {
    const small = costOf(10, patch)
    t.same(costOf(1_000, patch), small)
    t.ok(small.looks < 200 && small.asked < 20, JSON.stringify(small))
  })
}
