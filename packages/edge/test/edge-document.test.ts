import { applyPatch, isJsonObject, type JsonObject, type PatchOperation } from '@fanfold/document'
import type { ViewerFrame } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { live, type Rig } from './build-edge.ts'
import { doc, log, pointAt, records, snapshot, viewer, welcome } from './edge-log.ts'

const viewerCount = 4

/** A viewer that believes nothing: it checks that each frame fits what it holds. */
class Model {
  seq = 0
  view: JsonObject | undefined
  problem: string | undefined
  position: string | undefined

  take(frame: ViewerFrame): void {
    if (frame.type === 'snapshot') {
      this.seq = frame.seq
      this.view = isJsonObject(frame.view) ? frame.view : undefined
      this.position = frame.position
    } else if (frame.type === 'delta') {
      if (frame.from !== this.seq) this.problem ??= `${frame.from}>${frame.seq} at ${this.seq}`
      this.seq = frame.seq
      if (this.view !== undefined) {
        this.view = applyPatch(this.view, frame.patch as PatchOperation[])
      }
      this.position = frame.position ?? this.position
    }
    if (this.view !== undefined && this.view['n'] !== this.seq)
      this.problem ??= `view at ${this.seq}`
  }
}

const step = fc.record({
  what: fc.constantFrom(
    'publish',
    'publish',
    'observe',
    'resume',
    'leave',
    'lag',
    'drain',
    'cut',
    'jump',
  ),
  viewer: fc.integer({ min: 1, max: viewerCount }),
  count: fc.integer({ min: 1, max: 6 }),
})

t.test('whatever happens, the ranges of every viewer adjoin and its view is the state', async t => {
  const holds = fc.property(fc.array(step, { maxLength: 80 }), steps => {
    const rig = live({}, { recordsMax: 8 })
    const models = new Map<number, Model>()
    for (let number = 1; number <= viewerCount; number++) {
      if (number > 1) rig.open(viewer(number))
      models.set(number, new Model())
    }
    rig.observe(viewer(1))
    let head = 10
    for (const { what, viewer: number, count } of steps) {
      const id = viewer(number)
      const model = models.get(number)
      if (model === undefined) return false
      if (what === 'publish') {
        rig.frame(records(head + 1, head + count))
        head += count
      } else if (what === 'observe') rig.observe(id)
      else if (what === 'resume') resume(rig, number, model)
      else if (what === 'leave') rig.request(id, { type: 'leave', doc })
      else if (what === 'lag') rig.lag(id)
      else if (what === 'drain') rig.drain(id)
      else if (what === 'cut') {
        rig.closeParent()
        rig.openParent()
        rig.frame(welcome('tail', head))
      } else {
        head += count
        rig.frame(...snapshot(head))
      }
      for (const [number, model] of models) {
        for (const frame of rig.got(viewer(number))) model.take(frame)
        if (model.problem !== undefined) throw new Error(`viewer ${number}: ${model.problem}`)
      }
    }
    for (const [number, model] of models) {
      rig.drain(viewer(number))
      rig.observe(viewer(number))
      for (const frame of rig.got(viewer(number))) model.take(frame)
      if (model.problem !== undefined || model.seq !== head) return false
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 150 }))
})

function resume(rig: Rig, number: number, model: Model): void {
  if (model.position === undefined) return
  // A viewer resumes from the position it holds, and from the view that it had there.
  if (model.position === pointAt(model.seq)) rig.observe(viewer(number), { from: model.position })
  else rig.observe(viewer(number), { from: pointAt(model.seq) })
}

t.test(
  'a catch-up costs no more than the snapshot: it is made anew when the deltas are larger',
  async t => {
    const rig = live()
    let head = 10
    const sizes: number[] = []
    for (let number = 2; number < 9; number++) {
      rig.frame(records(head + 1, head + 20))
      head += 20
      rig.open(viewer(number))
      rig.observe(viewer(number))
      const bytes = (rig.received.get(viewer(number)) ?? []).reduce(
        (sum, one) => sum + one.bytes.length,
        0,
      )
      rig.got(viewer(number))
      sizes.push(bytes)
    }
    const patchBytes = log[30]?.bytes.length ?? 0
    t.ok(
      sizes.every(bytes => bytes < 3 * 2_300 + 40 * patchBytes),
      sizes.join(),
    )
  },
)
