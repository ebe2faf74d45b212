/*
 * Bugs that somebody could have written. Each of them breaks one thing that is claimed, and a campaign
 * that does not know which one is planted must find it: what is not found here would not be found
 * either when it is written in earnest.
 */
import type { PlantedBug } from './planted-bug.ts'

const one = (module: string, find: string, replace: string): PlantedBug['edits'] => [
  { module, find, replace },
]

/** All bugs; none changes more than five lines. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'acknowledged-before-durable',
    says: 'a writer is answered when the append is on its way, not when it is durable',
    edits: one(
      'authority/src/authority-document',
      "effects.push({ kind: 'log-append', doc, epoch, after: committed.position, records });",
      `effects.push({ kind: 'log-append', doc, epoch, after: committed.position, records });
        this.#at.inHand.answer(batch, effects); batch.answers.length = 0;`,
    ),
  },
  {
    name: 'away-for-ever',
    says: 'once its log was out of reach an authority goes on refusing what it is sent',
    caughtBy: 'faults 15',
    edits: one(
      'authority/src/batch-in-hand',
      'this.#batch = undefined;\n        this.#stall = undefined;\n        return batch;',
      'this.#batch = undefined;\n        return batch;',
    ),
  },
  {
    name: 'shown-before-durable',
    says: 'children are sent records that the log does not have yet',
    edits: [
      {
        module: 'authority/src/authority-document',
        find: 'this.#at.children.publish(batch.records, now);',
        replace: ';',
      },
      {
        module: 'authority/src/authority-document',
        find: "effects.push({ kind: 'log-append', doc, epoch, after: committed.position, records });",
        replace: `effects.push({ kind: 'log-append', doc, epoch, after: committed.position, records });
        this.#at.children.publish(records, 0); this.flush(effects);`,
      },
    ],
  },
  {
    name: 'sent-again-written-again',
    says: 'a message that is sent again is not known by its id',
    edits: one(
      'authority/src/batch',
      'const at = this.#start.committed.window.get(input.subject, input.id);',
      'const at = undefined;',
    ),
  },
  {
    name: 'ids-lost-with-the-process',
    says: 'the ids of messages in the log are not read in again',
    edits: one('authority/src/committed-document', 'this.#remember(record);', ';'),
    caughtBy: 'faults 0',
  },
  {
    name: 'ids-not-in-the-snapshot',
    says: 'the ids that a snapshot of the log holds are not taken over',
    edits: one('authority/src/idempotency-window', 'if (!Array.isArray(chunk))', 'if (chunk)'),
    caughtBy: 'faults 0',
  },
  {
    name: 'time-goes-back',
    says: 'the time of a record is what a wall clock says, which may go back',
    edits: one(
      'authority/src/batch',
      'return Math.max(this.#lastTimeMs, timeMs);',
      'return timeMs;',
    ),
  },
  {
    name: 'epoch-not-raised',
    says: 'an authority that starts again goes on in the epoch of the one before',
    edits: one(
      'authority/src/batch',
      'claimed === 0 ? highest + 1 : claimed',
      'claimed === 0 ? Math.max(1, highest) : claimed',
    ),
    caughtBy: 'faults 0',
  },
  {
    name: 'dropped-when-congested',
    says: 'what a child on a full link cannot be sent now is never sent',
    edits: one(
      'replication/src/downstream',
      'if (child.isCongested)\n                continue;\n            if (child.isStatusDue)',
      'if (child.isCongested) { child.cursor = this.#ring.lastSeq; continue; }\n            if (child.isStatusDue)',
    ),
    caughtBy: 'random 1',
  },
  {
    name: 'deadline-kept',
    says: 'what was due for a document that is let go stays due',
    edits: one('edge/src/documents', 'this.#due.set(doc, undefined);', ';'),
    caughtBy: 'catch-up 1',
  },
  {
    name: 'ring-edge',
    says: 'a child whose next record has just left the ring is taken for one that may go on',
    edits: one(
      'replication/src/downstream',
      'if (child.cursor < ring.base.seq) {',
      'if (child.cursor + 1 < ring.base.seq) {',
    ),
    caughtBy: 'catch-up 0',
  },
  {
    name: 'chain-unchecked',
    says: 'a record is taken whatever its bytes make of the chain',
    edits: one(
      'replication/src/record-check',
      'this.#chain.verifies(record, before.hash);',
      'true;',
    ),
    caughtBy: 'random 1',
  },
  {
    name: 'piece-unchecked',
    says: 'a piece of a snapshot is taken whatever its digest is',
    edits: one(
      'replication/src/snapshot-assembly',
      'return equalBytes(digest, entry.digest);',
      'return true;',
    ),
  },
  {
    name: 'warm-unchecked',
    says: 'what was kept over a restart is taken as it is',
    edits: one(
      'replication/src/warm-check',
      'this.#isGood = equalBytes(this.#digest, entry.digest);',
      ';',
    ),
    caughtBy: 'faults 0',
  },
  {
    name: 'credit-not-given-back',
    says: 'a child gives no credit for records that waited for their snapshot',
    edits: one(
      'replication/src/snapshot-stage',
      'core.line.giveCredit(unpaid, effects, core.channel);',
      ';',
    ),
    caughtBy: 'catch-up 0',
  },
  {
    name: 'snapshot-waits-unused',
    says: 'records that came while a snapshot was on its way are dropped with it',
    edits: one('replication/src/snapshot-intake', 'this.#waiting.push(record);', ';'),
  },
  {
    name: 'ceiling-of-the-parent',
    says: 'a child is sent what its parent may have, not what it may have itself',
    edits: one(
      'replication/src/downstream',
      'return Math.min(this.#ceiling(), child.ceilingMax);',
      'return this.#ceiling();',
    ),
  },
  {
    name: 'child-not-forgotten',
    says: 'a child that leaves a document goes on being sent it',
    edits: one('replication/src/downstream', 'this.#children.delete(link);\n', ';\n'),
  },
  {
    name: 'filter-skipped-on-resume',
    says: 'a viewer that comes back is sent the patches as they are',
    edits: one(
      'edge/src/catch-up',
      'const step = catchUpPatch({ view: cohort.view, state, patches });',
      "const step = { kind: 'delta', patchJson: JSON.stringify(patches.flat()) };",
    ),
  },
  {
    name: 'tag-unchecked',
    says: 'a position leads on whatever view it was given for',
    edits: one('edge/src/catch-up', '!equalBytes(point.tag, cohort.tag)', 'false'),
    caughtBy: 'faults 1',
  },
  {
    name: 'coalesced-over-a-definition',
    says: 'one delta leads a viewer that comes back over records of two definitions',
    edits: [
      {
        module: 'edge/src/catch-up',
        find: "change.kind === 'definition' && change.definition.variant !== variant",
        replace: 'false',
      },
      {
        module: 'edge/src/resume-point',
        find: '[variant, audience] : [variant, audience, viewState]',
        replace: '[audience] : [audience, viewState]',
      },
    ],
    caughtBy: 'faults 1',
  },
  {
    name: 'coalesced-over-a-revoke',
    says: 'one delta leads over records that changed who may see what',
    edits: one(
      'privacy/src/catch-up',
      'touchedRules(view.rules.readers, paths).length > 0',
      'false',
    ),
    caughtBy: 'catch-up 0',
  },
  {
    name: 'revoked-and-kept',
    says: 'what a viewer may see no more is not taken away',
    edits: one('privacy/src/cohort-view', "operations.push({ op: 'remove', path: pointer });", ';'),
  },
  {
    name: 'granted-and-hidden',
    says: 'what a viewer may see from now on is not shown before it changes',
    edits: one(
      'privacy/src/cohort-view',
      'appendChange(undefined, filter.seenAt(place, false), place, operations);',
      ';',
    ),
    caughtBy: 'catch-up 0',
  },
  {
    name: 'renewed-and-unchanged',
    says: 'a viewer that shows another token goes on seeing what the one before let it see',
    edits: one(
      'edge/src/viewers',
      'this.#documents.guard(doc, () => this.#documents.get(doc)?.renew(id));',
      ';',
    ),
  },
  {
    name: 'lagged-and-forgotten',
    says: 'a viewer that has drained goes on where its cohort is',
    edits: one('edge/src/catch-up', 'if (mark === cohort.mark)', 'if (mark !== undefined)'),
  },
  {
    name: 'never-let-go',
    says: 'a document that nobody observes stays for ever',
    edits: one('edge/src/documents', 'this.#following.release(document.doc, this.#turn.now);', ''),
  },
  {
    name: 'owner-asked-first',
    says: 'nodes ask the owner of a document before the proxies of their region',
    edits: one(
      'topology/src/document-routes',
      'above.includes(owner) ? above : [...above, owner]',
      'above.includes(owner) ? above : [owner, ...above]',
    ),
    caughtBy: 'fleet 0',
  },
  {
    name: 'trouble-never-over',
    says: 'a document whose parent was of no use once stays with another one',
    edits: one('replication/src/troubles', 'yield doc;', ';'),
    caughtBy: 'fleet 0',
  },
  {
    name: 'own-pause-taken-for-silence',
    says: 'a node that was stopped for a while takes the others for dead',
    caughtBy: 'fleet 10',
    edits: one('topology/src/cluster', 'memberDeadAfterMs / 2', 'memberDeadAfterMs * 20'),
  },
  {
    name: 'fenced-and-goes-on',
    says: 'an authority that another one has fenced tries again with the state that it has',
    caughtBy: 'fleet 34',
    edits: one(
      'authority/src/authority-document',
      "if (code !== 'FANFOLD_LOG_FULL') {",
      "if (code !== 'FANFOLD_LOG_FULL' && code !== 'FANFOLD_FENCED') {",
    ),
  },
  {
    name: 'lost-and-goes-on',
    says: 'an authority whose log has lost what it had tries again with the state that it has',
    caughtBy: 'fleet 4',
    edits: one(
      'authority/src/authority-document',
      "if (code !== 'FANFOLD_LOG_FULL') {",
      "if (code !== 'FANFOLD_LOG_FULL' && code !== 'FANFOLD_LOG_LOST') {",
    ),
  },
  {
    name: 'acknowledged-at-proxy',
    says: 'a proxy tells its children that what they say is counted when it has it',
    world: 'crowd',
    edits: one(
      'proxy/src/passed-crowds',
      'crowd.heardAt.set(link, now);',
      `crowd.heardAt.set(link, now);
        const standings = (aggregate?.ranges ?? []).map(({ session, upTo }) => ({ session, state: 'open', upTo }));
        const answer = { child: link, number, answer: { sessions: [], standings } };
        if (aggregate) this.#turn().effects.push({ kind: 'link-send', link, frame: encodeCrowdAnswer(doc, answer, 20) });`,
    ),
  },
  {
    name: 'partial-apply',
    says: 'of an aggregate that is to be refused those windows count that could',
    world: 'crowd',
    caughtBy: 'crowd 9',
    edits: one(
      'authority/src/batch',
      'counted: ledger.takes(ranges) ? ranges : [],',
      'counted: ranges.filter(range => ledger.takes([range])),',
    ),
  },
  {
    name: 'sessions-not-in-the-snapshot',
    says: 'how far sessions are counted is not taken over from a snapshot of the log',
    world: 'crowd',
    edits: one(
      'authority/src/log-snapshot',
      'if (Array.isArray(ledger) && ledger.length > 0) {',
      'if (ledger === 0) {',
    ),
  },
  {
    name: 'window-changed',
    says: 'what is said while a window waits is put into it',
    world: 'crowd',
    edits: one(
      'reduction/src/origin',
      'this.#closed.push({ window: this.#window, number: this.#lastNumber, content });',
      `const waiting = this.#closed[0];
        if (waiting) { waiting.content = mergeContents([waiting.content, content]); this.#lastNumber--; return true; }
        this.#closed.push({ window: this.#window, number: this.#lastNumber, content });`,
    ),
  },
  {
    name: 'said-again-when-unknown',
    says: 'an edge says in its next session what may have been counted in one that is forgotten',
    world: 'crowd',
    caughtBy: 'crowd 12',
    edits: [
      ...one('reduction/src/origin', 'this.#closed.splice(0).map(', 'this.#closed.map('),
      ...one('reduction/src/crowd-limits', 'sealedMax: 10_000,', 'sealedMax: 0,'),
    ],
  },
  {
    name: 'counted-again-when-sealed',
    says: 'an edge says in its next session also what a sealed one has counted',
    world: 'crowd',
    caughtBy: 'crowd 12',
    edits: one(
      'reduction/src/origin',
      'while (this.#closed[0] !== undefined && this.#closed[0].number <= upTo) {',
      "while (state === 'open' && this.#closed[0] !== undefined && this.#closed[0].number <= upTo) {",
    ),
  },
  {
    name: 'under-way-for-ever',
    says: 'a tier whose parent changes waits for the answer of the one before',
    world: 'crowd',
    edits: one(
      'reduction/src/combiner',
      'interrupt() {\n        this.#underWay = undefined;',
      'interrupt() {',
    ),
    caughtBy: 'crowd 1',
  },
  {
    name: 'counted-though-undone',
    says: 'what a crowd has changed stays in the state when the log refuses its batch',
    world: 'crowd',
    edits: one('authority/src/batch', 'this.#undos.push(change.undo);', ';'),
    caughtBy: 'crowd 7',
  },
]
