/** One bound that the protocol itself sets; both sides of a connection hold to it. */
export type Limit = { readonly value: number; readonly unit: string; readonly meaning: string }

/**
 * Bounds of the wire, in one table from which docs/protocol.md is checked.
 *
 * They are part of the protocol: a peer that exceeds one has broken it. What an operator may tune is
 * configuration, and never looser than this.
 */
export const limits = {
  linkFrameBytesMax: {
    value: 1_048_576,
    unit: 'bytes',
    meaning: 'one frame on a link',
  },
  recordBytesMax: {
    value: 1_044_480,
    unit: 'bytes',
    meaning: 'one record, so that any record fits in a frame',
  },
  recordsFrameBytesTarget: {
    value: 262_144,
    unit: 'bytes',
    meaning: 'records that wait on a link are joined into one frame up to this size',
  },
  partsPerRecordMax: { value: 15, unit: 'parts', meaning: 'parts of one record' },
  keyBytesMax: { value: 255, unit: 'bytes', meaning: 'a document key' },
  observeFrameBytesMax: {
    value: 65_536,
    unit: 'bytes',
    meaning: 'one frame that a viewer sends',
  },
  writeFrameBytesMax: {
    value: 1_048_576,
    unit: 'bytes',
    meaning: 'one frame that a writer sends, or the body of one POST',
  },
  idempotencyIdBytesMax: {
    value: 128,
    unit: 'bytes',
    meaning: "the id of a writer's message",
  },
  addIdBytesMax: { value: 128, unit: 'bytes', meaning: 'the id of what a viewer adds, as a text' },
  reducerNameBytesMax: { value: 80, unit: 'bytes', meaning: 'the name of a reducer' },
  positionBytesMax: { value: 128, unit: 'bytes', meaning: 'the position a viewer resumes from' },
  snapshotPieceBytesMax: { value: 65_536, unit: 'bytes', meaning: 'one piece of a snapshot' },
  snapshotPiecesMax: {
    value: 16_384,
    unit: 'pieces',
    meaning: 'pieces of one snapshot, so that its manifest fits in a frame',
  },
  signalsWaitingMax: {
    value: 1_024,
    unit: 'signals',
    meaning: 'signals that wait on a congested link; beyond it the oldest is dropped',
  },
  variantBytesMax: {
    value: 524_288,
    unit: 'bytes',
    meaning: 'one edge variant of a definition, so that it fits in a frame',
  },
  variantsAskedMax: {
    value: 16,
    unit: 'variants',
    meaning: 'edge variants that a child asks for at a time on one link',
  },
  labelsMax: {
    value: 12,
    unit: 'labels',
    meaning: 'labels over 0 that one definition uses, so that a record has a part for each',
  },
  viewStateBytesMax: {
    value: 4_096,
    unit: 'bytes',
    meaning: 'the view state of one viewer in one document, as JSON',
  },
  audienceBytesMax: {
    value: 4_096,
    unit: 'bytes',
    meaning: 'the audience of one viewer, as JSON',
  },
  helloTextBytesMax: {
    value: 4_096,
    unit: 'bytes',
    meaning: 'one text in a hello; a link token is the longest, or a configured view',
  },
  pathNodesMax: {
    value: 32,
    unit: 'nodes',
    meaning: 'the nodes of a path, and those that a redirect names',
  },
  nodeNameBytesMax: {
    value: 256,
    unit: 'bytes',
    meaning: 'the name of one node in a path',
  },
  treeEntriesMax: {
    value: 512,
    unit: 'entries',
    meaning: 'roles of nodes of which one answer about a tree tells',
  },
} as const

/** The name of a row in the table. */
export type LimitName = keyof typeof limits

/** The row of a name. */
export const limitOf = (name: LimitName): Limit => limits[name]
