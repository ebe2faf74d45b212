/*
 * Trees and conditions that have a name: each makes one thing frequent that is rare elsewhere. Tests
 * run them one by one, campaigns draw among them.
 */

/** Trees of different forms, each with what else it takes. */
export const shapes = {
  'edges at the authority itself': { proxies: 0, edges: 3 },
  'a chain of eight': { proxies: 8, proxyFanout: 1, edges: 2 },
  'a tree of two children each': { proxies: 7, proxyFanout: 2, edges: 8 },
  'one edge': { proxies: 1, edges: 1 },
  'nobody observes': { viewers: 0 },
  'nobody writes': { writes: 0, documents: 1 },
} as const

/** What it is like in a world, besides its tree. */
export const conditions = {
  'slow links': {
    linkBytesPerSecond: 4_000,
    linkBufferedBytesMax: 1_000,
    ringRecordsMax: 10,
    writes: 400,
  },
  'credit for a record or two': { creditBytes: 600, ringRecordsMax: 10, writes: 300 },
  'short rings': {
    ringRecordsMax: 4,
    writes: 400,
    creditBytes: 1_000,
    linkBytesPerSecond: 10_000,
  },
  'snapshots of many pieces': {
    textBytesMax: 14_000,
    writes: 120,
    viewers: 10,
    linkBytesPerSecond: 1_000_000,
    linkBufferedBytesMax: 100_000,
    slowBytesPerSecond: 50_000,
    viewerBudgetBytes: 100_000,
    convergeMaxMs: 60_000,
  },
  'many documents on a slow link': {
    documents: 40,
    documentsPerViewer: 40,
    proxies: 1,
    edges: 1,
    viewers: 3,
    writes: 1_000,
    busyMs: 3_000,
    linkBytesPerSecond: 1_000,
    linkBufferedBytesMax: 4_000,
    linkBufferedBytesCap: 60_000,
    creditBytes: 60_000,
    ringRecordsMax: 1_000,
    slowShare: 0,
    viewerBudgetBytes: 10_000_000,
    convergeMaxMs: 160_000,
  },
  'children that leave and join again within a round trip': {
    lingerMs: 0,
    creditBytes: 1,
    ringRecordsMax: 3,
    proxies: 4,
    proxyFanout: 2,
    edges: 6,
    documents: 5,
    documentsPerViewer: 4,
    viewers: 9,
    writers: 1,
    writes: 104,
    busyMs: 300,
    viewerBudgetBytes: 0,
  },
  'slow viewers with small budgets': {
    slowShare: 1,
    viewerBudgetBytes: 500,
    writes: 300,
    convergeMaxMs: 60_000,
  },
  'definitions that change, and variants that fail': {
    definitionChanges: 20,
    variantFailShare: 0.3,
    variantLoadMs: 100,
    convergeMaxMs: 90_000,
  },
  'low ceilings, and many who may see more': {
    guardedShare: 0.7,
    entitledShare: 0.8,
    definitionChanges: 8,
  },
  'viewers that turn pages': { viewStatesMax: 40, definitionChanges: 6, slowShare: 0.4 },
  'documents that rest': {
    lingerMs: 20,
    restAfterMs: 150,
    busyMs: 20_000,
    fickleShare: 1,
    roamingShare: 1,
    viewers: 6,
    edges: 6,
    documentsPerViewer: 1,
  },
} as const
