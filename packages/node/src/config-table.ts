/*
 * Every option of a node, declared once. Flags, environment names, the configuration file, the help
 * texts and the table in docs/operations.md all come from these rows.
 *
 * A name says where the option sits in the file: `limits.viewersMax` is `viewersMax` under `limits`.
 * A row without a default may be left out, and is `undefined` then.
 */

/** One option. */
export type ConfigRow = {
  readonly type:
    | 'text'
    | 'integer'
    | 'port'
    | 'duration'
    | 'size'
    | 'url'
    | 'path'
    | 'enum'
    | 'switch'
    | 'list'
  /** What an integer counts; durations are in ms, sizes in bytes. */
  readonly unit?: string
  readonly default?: string | number | boolean | readonly string[]
  /** An integer may be `auto`, which is `autoValue` then: what it comes to is known where it is used. */
  readonly auto?: true
  /** Least and greatest number; of a text: of its characters; of a list: of its items. */
  readonly min?: number
  readonly max?: number
  /** What an enum, or an item of a list of enums, may be. */
  readonly values?: readonly string[]
  /** Type of a list's items. */
  readonly items?: 'text' | 'url' | 'path' | 'enum'
  /** Schemes a URL may have. */
  readonly schemes?: readonly string[]
  /** Regular expression of a whole text, and the same for people. */
  readonly pattern?: string
  readonly shape?: string
  /** Never shown, and given by a file: the name with `File` behind it. */
  readonly secret?: true
  /** The flag, where it is not the name in kebab-case. */
  readonly flag?: string
  readonly meaning: string
}

/** The value of an integer that is `auto`; below every `min`. */
export const autoValue = 0

/** Every option of a node. */
export const configTable = {
  roles: {
    type: 'list',
    items: 'enum',
    values: ['authority', 'proxy', 'edge'],
    min: 1,
    max: 3,
    default: ['authority', 'proxy', 'edge'],
    meaning: 'What the node does: commits writes, forwards delta logs, serves viewers.',
  },
  region: {
    type: 'text',
    pattern: '[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}',
    shape: '1 to 80 of A-Z a-z 0-9 _ . ~ -, the first a letter or digit',
    default: 'local',
    meaning: 'The region the node stands in.',
  },
  parents: {
    type: 'list',
    items: 'url',
    schemes: ['ws', 'wss'],
    max: 16,
    default: [],
    flag: 'parent',
    meaning: 'Nodes to replicate from, in order of preference.',
  },
  advertise: {
    type: 'url',
    schemes: ['ws', 'wss'],
    meaning:
      'Where other nodes and clients reach this one, where nodes meet in a Redis; without it, at `host` and `port`.',
  },
  weight: {
    type: 'integer',
    unit: 'shares',
    min: 0,
    max: 1_000_000,
    default: 100,
    meaning:
      'The share of the documents that this node takes, beside the other nodes; with 0 it takes none.',
  },
  'tenants.allow': {
    type: 'list',
    items: 'text',
    pattern: '[A-Za-z0-9_.~*-]{1,80}',
    shape: 'a glob over tenants: 1 to 80 of A-Z a-z 0-9 _ . ~ - *',
    min: 1,
    max: 128,
    default: ['*'],
    meaning:
      'Tenants whose documents an authority of a fleet takes, as globs. Taken anew at SIGHUP.',
  },
  'tenants.deny': {
    type: 'list',
    items: 'text',
    pattern: '[A-Za-z0-9_.~*-]{1,80}',
    shape: 'a glob over tenants: 1 to 80 of A-Z a-z 0-9 _ . ~ - *',
    max: 128,
    default: [],
    meaning:
      'Tenants that it does not take, as globs, whatever `tenants.allow` says. Taken anew at SIGHUP.',
  },
  'tenants.quotas': {
    type: 'list',
    items: 'text',
    pattern:
      '[A-Za-z0-9_.~*-]{1,80}(?= )(?: documents=\\d{1,15})?(?: viewers=\\d{1,15})?(?: bytesPerSecond=\\d{1,9}(?:B|kB|MB|GB|KiB|MiB|GiB)?)?',
    shape:
      'a glob over tenants and its bounds in this order, each may be left out: acme documents=100 viewers=5000 bytesPerSecond=10MiB',
    max: 128,
    default: [],
    meaning:
      'What a tenant may take, by the first item whose glob it matches: documents and viewers at a time, and bytes per second to viewers. Of a fleet as a whole, else of this node; what `fanfold place` says of the tenant goes before it. Taken anew at SIGHUP.',
  },
  'node.id': {
    type: 'text',
    pattern: '[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}',
    shape: '1 to 80 of A-Z a-z 0-9 _ . ~ -, the first a letter or digit',
    meaning: "The node's name in the fleet; without it, a new one is made at each start.",
  },
  host: {
    type: 'text',
    min: 1,
    max: 255,
    default: '127.0.0.1',
    meaning: 'The address the public port is bound to; 0.0.0.0 and :: are every address.',
  },
  port: {
    type: 'port',
    default: 9600,
    meaning: 'The public port, for viewers, writers and links; 0 for any free one.',
  },
  workers: {
    type: 'integer',
    unit: 'processes',
    auto: true,
    min: 1,
    max: 256,
    default: 1,
    meaning:
      'Processes that serve the viewers of an edge, behind its one port; `auto` for as many as there are processors. 1 is the process itself.',
  },
  'tls.certificate': {
    type: 'text',
    secret: true,
    min: 32,
    max: 65_536,
    meaning:
      "The certificate (PEM) that the public port shows, the node's own first and those between it and its authority behind it: the port speaks TLS with it, and is plain without. Taken anew at SIGHUP.",
  },
  'tls.privateKey': {
    type: 'text',
    secret: true,
    min: 32,
    max: 65_536,
    meaning:
      'The private key (PEM, without a passphrase) of that certificate. Taken anew at SIGHUP.',
  },
  'tls.authorities': {
    type: 'text',
    secret: true,
    min: 32,
    max: 262_144,
    meaning:
      'Authorities (PEM) whose certificates of other nodes are believed, beside those that Node ships. Taken anew at SIGHUP.',
  },
  adminHost: {
    type: 'text',
    min: 1,
    max: 255,
    default: '127.0.0.1',
    meaning: 'The address the admin port is bound to.',
  },
  adminPort: {
    type: 'port',
    default: 9700,
    meaning: 'The port for health, metrics and administration; 0 for any free one.',
  },
  adminToken: {
    type: 'text',
    secret: true,
    min: 32,
    max: 4096,
    meaning: 'The bearer token of the admin port; health and metrics need none.',
  },
  data: {
    type: 'path',
    default: './fanfold-data',
    meaning: 'The directory of logs and snapshots; only an authority writes there.',
  },
  log: {
    type: 'text',
    pattern: 'files|rediss?(?:\\+sentinel|\\+cluster)?://[^\\s@]{1,1000}',
    shape:
      'files, or the address of a Redis without user and password: redis://host:port/0, redis+sentinel://host,host/name, redis+cluster://host,host, with rediss for TLS',
    default: 'files',
    meaning:
      'Where an authority keeps logs: in files under `data`, or in a Redis, from which any authority can take them over.',
  },
  'redis.url': {
    type: 'text',
    pattern: 'rediss?(?:\\+sentinel|\\+cluster)?://[^\\s@]{1,1000}',
    shape: 'the address of a Redis without user and password, as for `log`',
    flag: 'redis',
    meaning:
      'The Redis where the nodes of the fleet meet: with it the tree forms itself, and `parents` is not given.',
  },
  'redis.user': {
    type: 'text',
    min: 1,
    max: 255,
    meaning: 'The user by whom a Redis is used; without it, its default user.',
  },
  'redis.password': {
    type: 'text',
    secret: true,
    min: 1,
    max: 4096,
    meaning: 'The password of that user.',
  },
  'redis.keyPrefix': {
    type: 'text',
    pattern: '[A-Za-z0-9_.:~-]{0,80}',
    shape: 'at most 80 of A-Z a-z 0-9 _ . : ~ -',
    default: 'fanfold:',
    meaning: 'What the keys in a Redis begin with: fleets with different ones do not meet there.',
  },
  'redis.replicas': {
    type: 'integer',
    unit: 'replicas',
    min: 0,
    max: 10,
    default: 0,
    meaning:
      'Replicas of the Redis that must have a write before it is acknowledged; with 0, what a failover loses of acknowledged writes is lost.',
  },
  warm: {
    type: 'path',
    meaning:
      'A directory where a proxy keeps what it replicates, so that after a restart it asks its parent for the tail alone.',
  },
  hotStandby: {
    type: 'switch',
    default: false,
    meaning:
      'An authority of a fleet follows the logs of documents in use that it is next to take over, and has them in memory when it does.',
  },
  disableSnapshot: {
    type: 'switch',
    default: false,
    meaning:
      "Never take a snapshot from a parent: what its latest records do not cover is replayed from the authority's log.",
  },
  compression: {
    type: 'switch',
    default: false,
    meaning:
      'An edge offers viewers permessage-deflate. A frame is deflated once for all who take it so, and only what is kept from nobody who sees another part of it: documents with privacy rules or a view go out as they are.',
  },
  native: {
    type: 'switch',
    default: true,
    meaning:
      'An edge writes to many viewers in one call where the native addon was built (`npm run native`). Without it, or with false, it writes to each of them by itself; nobody sees a difference.',
  },
  definitions: {
    type: 'list',
    items: 'path',
    max: 256,
    default: [],
    meaning: 'Definition modules, or directories that hold one; only an authority needs them.',
  },
  'logging.level': {
    type: 'enum',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    flag: 'log-level',
    meaning: 'The least severe lines that are logged.',
  },
  'logging.tracedOneOf': {
    type: 'integer',
    unit: 'records',
    min: 0,
    max: 1_000_000,
    default: 1_000,
    meaning:
      'Of so many records one is logged by each node that it passes, with its trace id and how long after its commit that was: the same one everywhere. 0: none.',
  },
  tokenKey: {
    type: 'text',
    secret: true,
    min: 32,
    max: 8192,
    meaning:
      "Key of viewers' and writers' tokens: an Ed25519 public key (PEM or JWK) for EdDSA, or a secret text for HS256.",
  },
  tokenJwksUrl: {
    type: 'url',
    schemes: ['https', 'http'],
    meaning: "Where the keys of viewers' and writers' tokens are published, instead of tokenKey.",
  },
  tokenAudience: {
    type: 'text',
    min: 1,
    max: 255,
    meaning: "The audience that viewers' and writers' tokens must name.",
  },
  tokenIssuer: {
    type: 'text',
    min: 1,
    max: 255,
    meaning: "The issuer that viewers' and writers' tokens must name.",
  },
  'link.token': {
    type: 'text',
    secret: true,
    min: 32,
    max: 4096,
    meaning: 'The token, signed with the key of the fleet, that says what this node is.',
  },
  'link.privateKey': {
    type: 'text',
    secret: true,
    min: 32,
    max: 4096,
    meaning:
      'The Ed25519 private key (PEM) of this node, which proves that the link token is its own.',
  },
  'link.fleetPublicKeys': {
    type: 'list',
    items: 'text',
    pattern: '[A-Za-z0-9_-]{43}',
    shape: 'an Ed25519 public key: 43 characters of base64url',
    max: 2,
    default: [],
    flag: 'link-fleet-public-key',
    meaning: 'Keys that sign link tokens: one, or two while the first is being replaced.',
  },
  'limits.viewersMax': {
    type: 'integer',
    unit: 'viewers',
    min: 1,
    max: 1_000_000,
    default: 50_000,
    meaning: 'Connections of viewers, writers and children at a time; one more is answered 503.',
  },
  'limits.viewerBudgetBytes': {
    type: 'size',
    min: 16_384,
    max: 67_108_864,
    default: 262_144,
    meaning:
      'Bytes that one viewer was sent and has not confirmed above which it lags: it gets one conflated change later.',
  },
  'limits.viewerStallMaxMs': {
    type: 'duration',
    min: 1_000,
    max: 3_600_000,
    default: 30_000,
    meaning:
      'How long a viewer may confirm no byte of what it was sent before it is closed as too slow.',
  },
  'limits.framesPerSecondMax': {
    type: 'integer',
    unit: 'frames/s',
    min: 1,
    max: 100_000,
    default: 100,
    meaning: 'Frames that one viewer may send; with more it is closed as overloaded.',
  },
  'limits.handshakesPerSecondMax': {
    type: 'integer',
    unit: 'handshakes/s',
    min: 1,
    max: 1_000_000,
    default: 3_000,
    meaning:
      'Connections that clients open in a second; one more is answered 503 with a time to wait.',
  },
  'limits.handshakesBurst': {
    type: 'integer',
    unit: 'handshakes',
    min: 1,
    max: 1_000_000,
    default: 6_000,
    meaning:
      'Connections that clients may open at once after a quiet time, and that may wait to be opened; one more is answered 503 with a time to wait.',
  },
  'limits.joinsWaitingMax': {
    type: 'integer',
    unit: 'joins',
    min: 1,
    max: 1_000_000,
    default: 20_000,
    meaning:
      'Viewers of an edge that may wait for their first view and were not told why; one more is refused with a time to wait.',
  },
  'limits.crowdMessagesPerViewerPerSecond': {
    type: 'integer',
    unit: 'messages/s',
    min: 1,
    max: 1_000,
    default: 10,
    meaning:
      'What one viewer may say to reducers in a second; more is rejected with a time to wait.',
  },
  'limits.crowdMessagesPerViewerBurst': {
    type: 'integer',
    unit: 'messages',
    min: 1,
    max: 10_000,
    default: 20,
    meaning: 'What one viewer may say to reducers at once after a quiet time.',
  },
  'limits.crowdIdsPerViewerMax': {
    type: 'integer',
    unit: 'ids',
    min: 1,
    max: 65_536,
    default: 256,
    meaning:
      'Ids by which one viewer may wait to hear what became of what it said; with one more it is rejected with a time to wait.',
  },
  'limits.crowdIdsMax': {
    type: 'integer',
    unit: 'ids',
    min: 1,
    max: 100_000_000,
    default: 1_000_000,
    meaning: 'The same of all viewers of an edge: some 100 bytes each.',
  },
  'limits.crowdKeptMaxMs': {
    type: 'duration',
    min: 0,
    max: 3_600_000,
    default: 60_000,
    meaning:
      'How long an edge keeps a document that nobody observes any more until what its viewers said is counted; what is left then is lost.',
  },
  'limits.largeStateBytes': {
    type: 'size',
    min: 1_024,
    max: 67_108_864,
    default: 1_048_576,
    meaning: 'Size of a document from which its snapshots are made outside of the event loop.',
  },
  'limits.viewCheckEveryMs': {
    type: 'duration',
    min: 0,
    max: 3_600_000,
    default: 1_000,
    meaning:
      'How often an edge compares one document that has changed with its parent, and what it shows of it with what may be seen; 0 for never.',
  },
  'limits.viewCheckBytesMax': {
    type: 'size',
    min: 1_024,
    max: 1_048_576,
    default: 65_536,
    meaning: 'State of a document above which it is not compared.',
  },
  'limits.largeViewsBytesMax': {
    type: 'size',
    min: 1_048_576,
    max: 68_719_476_736,
    default: 536_870_912,
    meaning:
      'Views of such documents that an edge makes, keeps and sends at the same time; who needs one more is refused with a time to wait.',
  },
  'limits.assembliesMax': {
    type: 'integer',
    unit: 'snapshots',
    min: 1,
    max: 65_536,
    default: 64,
    meaning: 'Snapshots that a role may receive at the same time; further ones wait.',
  },
  'limits.assemblyBytesMax': {
    type: 'size',
    min: 1_048_576,
    max: 68_719_476_736,
    default: 536_870_912,
    meaning: 'Bytes of all snapshots that a role receives at the same time.',
  },
  'limits.snapshotBytesMax': {
    type: 'size',
    min: 1_048_576,
    max: 1_073_741_824,
    default: 134_217_728,
    meaning: 'Size of one snapshot, unpacked; a larger one is not taken from a parent.',
  },
  'limits.snapshotBytesUnderWayMax': {
    type: 'size',
    // Four times what a child takes before it says so: with less, links would rest while they wait.
    min: 262_144,
    max: 67_108_864,
    default: 524_288,
    meaning:
      "Bytes of snapshots, packed, that may be under way on a link before the child confirms some: what other documents' changes may be behind, and what snapshots get through in a round trip.",
  },
  'limits.replaysMax': {
    type: 'integer',
    unit: 'replays',
    min: 1,
    max: 65_536,
    default: 64,
    meaning:
      'Replays of logs that a role serves or passes on at the same time; one more is refused with a time to wait.',
  },
  'limits.workerThreads': {
    type: 'integer',
    unit: 'threads',
    min: 0,
    max: 64,
    default: 1,
    meaning: 'Threads that make snapshots of large documents; 0 for half as many as processors.',
  },
  'limits.workerBytesMax': {
    type: 'size',
    min: 16_777_216,
    max: 68_719_476_736,
    default: 536_870_912,
    meaning:
      'What those threads hold of large documents, as bytes of JSON; the one unused for longest goes first.',
  },
  'limits.ringRecordsMax': {
    type: 'integer',
    unit: 'records',
    min: 16,
    max: 1_048_576,
    default: 8_192,
    meaning:
      'Latest records of one document kept in memory; a child further behind gets a snapshot.',
  },
  'limits.ringBytesMax': {
    type: 'size',
    min: 1_048_576,
    max: 1_073_741_824,
    default: 16_777_216,
    meaning: 'Bytes of the latest records of one document kept in memory.',
  },
  'limits.ringAgeMaxMs': {
    type: 'duration',
    min: 1_000,
    max: 3_600_000,
    default: 60_000,
    meaning: 'Age up to which the latest records of one document are kept in memory.',
  },
  'limits.creditBytes': {
    type: 'size',
    min: 65_536,
    max: 67_108_864,
    default: 1_048_576,
    meaning:
      'Bytes of one document that may be under way on a link before the child confirms some.',
  },
  'limits.replicaPendingBytesMax': {
    type: 'size',
    min: 1_048_576,
    max: 268_435_456,
    default: 4_194_304,
    meaning:
      'Records of one document that wait to be applied; with more, or more than 4,096 at an edge, each turn applies some.',
  },
  'limits.treeChildrenMax': {
    type: 'integer',
    min: 2,
    max: 10_000,
    default: 32,
    unit: 'nodes',
    meaning:
      'Nodes that have one document from a proxy of a fleet; more are sent on to other proxies of the region, which become a tier below.',
  },
  'limits.treeBytesPerSecondMax': {
    type: 'integer',
    min: 10_000,
    max: 1_000_000_000_000,
    default: 125_000_000,
    unit: 'bytes per second',
    meaning:
      'What a proxy of a fleet sends of documents to other nodes; over it, children are sent on to other proxies of the region.',
  },
  'limits.linkSilenceMaxMs': {
    type: 'duration',
    min: 30,
    max: 60_000,
    default: 1_000,
    meaning: 'How long a link may be silent before the peer counts as gone.',
  },
  'limits.linkPingMs': {
    type: 'duration',
    min: 10,
    max: 20_000,
    default: 250,
    meaning: 'How often a link without other traffic is pinged.',
  },
  'limits.memberDeadAfterMs': {
    type: 'duration',
    min: 5_000,
    max: 30_000,
    default: 5_000,
    meaning:
      'How long a node of a fleet may be silent before others take what is its own; the same at all nodes.',
  },
  'limits.memberHeartbeatMs': {
    type: 'duration',
    min: 250,
    max: 10_000,
    default: 1_000,
    meaning: 'How often a node of a fleet says that it is there; the same at all nodes.',
  },
  'limits.idempotencyWindowMs': {
    type: 'duration',
    min: 1_000,
    max: 600_000,
    default: 600_000,
    meaning: "How long a write's id is remembered; the same id commits once within it.",
  },
  'limits.idempotencyCountMax': {
    type: 'integer',
    unit: 'ids',
    min: 1,
    max: 65_536,
    default: 65_536,
    meaning: 'Ids of writes remembered per document; the oldest are forgotten first.',
  },
  'limits.snapshotEveryBytes': {
    type: 'size',
    min: 65_536,
    max: 1_073_741_824,
    default: 67_108_864,
    meaning: "An authority keeps a snapshot after so many bytes of a document's log.",
  },
  'limits.snapshotEveryRecords': {
    type: 'integer',
    unit: 'records',
    min: 10,
    max: 10_000_000,
    default: 200_000,
    meaning: "An authority keeps a snapshot after so many records of a document's log.",
  },
  'limits.segmentBytesMax': {
    type: 'size',
    min: 2_097_152,
    max: 1_073_741_824,
    default: 67_108_864,
    meaning: 'Size at which a log goes on in a new file.',
  },
  'limits.openFilesMax': {
    type: 'integer',
    unit: 'files',
    min: 8,
    max: 65_536,
    default: 1_024,
    meaning: 'Log files held open; those unused for longest are closed first.',
  },
  'limits.writesWaitingMax': {
    type: 'integer',
    unit: 'writes',
    min: 1,
    max: 1_048_576,
    default: 65_536,
    meaning: 'Writes of one document that may wait for the log; one more is refused as busy.',
  },
  'limits.documentsMax': {
    type: 'integer',
    unit: 'documents',
    min: 1,
    max: 10_000_000,
    default: 100_000,
    meaning:
      'Documents that a role holds in memory; with none to put away, one more is refused as overloaded.',
  },
  'limits.standbyDocumentsMax': {
    type: 'integer',
    unit: 'documents',
    min: 1,
    max: 1_000_000,
    default: 10_000,
    meaning:
      'Documents of others that a hot standby follows; one more is taken over from its log, as without. They count as documents in memory, and make room for its own.',
  },
  'limits.cohortsPerDocumentMax': {
    type: 'integer',
    unit: 'cohorts',
    min: 1,
    max: 1_000_000,
    default: 2_000,
    meaning:
      'Different views of one document at an edge; each costs some 25 µs a delta, and one more is refused as overloaded.',
  },
  'limits.documentIdleCloseMs': {
    type: 'duration',
    min: 1_000,
    max: 86_400_000,
    default: 600_000,
    meaning: 'After how long without reader and writer an authority puts a document away.',
  },
  'limits.interestLingerMs': {
    type: 'duration',
    min: 0,
    max: 3_600_000,
    default: 10_000,
    meaning: 'How long a document stays replicated after its last observer below has left.',
  },
  'limits.drainDeadlineMs': {
    type: 'duration',
    min: 0,
    max: 600_000,
    default: 30_000,
    meaning:
      'How long a node may take to end in good order; then its process exits at once, with 1.',
  },
} as const

/** The name of an option. */
export type ConfigName = keyof typeof configTable

/** Every name, in the order of the table. */
export const configNames: readonly ConfigName[] = Object.keys(configTable) as ConfigName[]

/** The row of a name. */
export const configRow = (name: ConfigName): ConfigRow => configTable[name]

/** True for the name of an option. */
export const isConfigName = (text: string): text is ConfigName => Object.hasOwn(configTable, text)
