--[[
  Appends a batch of records to a document's log: all of it or nothing.

  The head is the fence: a batch that does not begin where the head stands, or whose epoch is not the
  writer's own, is not written. Asked again with a batch that is in already, it says so and writes
  nothing, so whoever lost the answer may ask until there is one.

  KEYS[1]  head, a hash: `epoch`, `seq`, `hash` (chain hash, 32 bytes) of the last record; `writer` (16
           bytes) and `node` of the store that claimed the epoch; `first`, seq of the first record held
  KEYS[2]  log, a stream: the record of a seq in field `r` at id `<seq>-0`
  KEYS[3]  claims, a hash: epoch -> `<seq>:<writer>`, the record that the epoch continues from and
           whose it is; the newest 100
  ARGV[1]  writer, 16 bytes
  ARGV[2]  node, its name, for messages only
  ARGV[3]  epoch of the batch
  ARGV[4], ARGV[5], ARGV[6]  epoch, seq and chain hash of the record before the batch, which this
           writer was told is durable; 0, 0 and 32 zero bytes before the first one
  ARGV[7]  chain hash after the batch
  ARGV[8…] the records, in order

  Returns one of
    {'appended'}                     the batch is in the log, now or already
    {'fenced', epoch, seq, node}     it is not, nor will it be: where the head is, and whose
    {'lost', from, to, epoch, seq, node}
                                     neither are these records, which this writer was told are durable
    {'damaged', sentence}            the keys do not fit together; nothing was written
    {'forgotten', epoch, seq, node}  as fenced, but for a batch that was sent before: its epoch is older
                                     than the claims, and nobody can tell whether it was in
]]
local claimsMax = 100

local head = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'hash', 'writer', 'node')
local headEpoch = tonumber(head[1] or 0)
local headSeq = tonumber(head[2] or 0)
local headHash = head[3] or string.rep('\0', 32)
local headNode = head[5] or ''
local writer = ARGV[1]
local epoch = tonumber(ARGV[3])
local afterEpoch = tonumber(ARGV[4])
local afterSeq = tonumber(ARGV[5])
local count = #ARGV - 7
local endSeq = afterSeq + count

local function text(number)
  return string.format('%.0f', number)
end

-- The record that the first epoch above `below` continues from, and that epoch; nil when there is none.
local function continuedFrom(claims, below)
  local nearest, from
  for index = 1, #claims, 2 do
    local claimed = tonumber(claims[index])
    if claimed > below and (nearest == nil or claimed < nearest) then
      nearest = claimed
      from = tonumber(string.match(claims[index + 1], '^%d+'))
    end
  end
  return from, nearest
end

-- The last record that a log has in common with one that has another record at `seq`: where it was
-- claimed by another than `writer`, in an epoch from `epoch` on.
local function splitBefore(claims, epoch, seq, writer)
  local common = seq - 1
  for index = 1, #claims, 2 do
    local claimed = tonumber(claims[index])
    local from, claimer = string.match(claims[index + 1], '^(%d+):(.*)$')
    if claimed > epoch or (claimed == epoch and claimer ~= writer) then
      common = math.min(common, tonumber(from))
    end
  end
  return common
end

if headEpoch == epoch and headSeq == endSeq and headHash == ARGV[7] and head[4] == writer then
  return { 'appended' }
end

if headSeq ~= afterSeq or headEpoch ~= afterEpoch or headHash ~= ARGV[6] then
  -- The log is elsewhere: others went on from this batch, or from what is before it, or records are gone.
  local claims = redis.call('HGETALL', KEYS[3])
  local claim = redis.call('HGET', KEYS[3], ARGV[3])
  local isOurs = claim and string.match(claim, '^%d+:(.*)$') == writer
  local from = continuedFrom(claims, epoch)
  if isOurs and from and from >= endSeq then
    return { 'appended' }
  end
  local _, oldest = continuedFrom(claims, 0)
  if #claims >= 2 * claimsMax and epoch < oldest then
    return { 'forgotten', text(headEpoch), text(headSeq), headNode }
  end
  local kept = math.min(headSeq, continuedFrom(claims, afterEpoch) or headSeq)
  local entry = redis.call('XRANGE', KEYS[2], ARGV[5] .. '-0', ARGV[5] .. '-0')[1]
  -- The chain hash of a record is its bytes 2 to 33.
  if entry and string.sub(entry[2][2], 2, 33) ~= ARGV[6] then
    kept = math.min(kept, splitBefore(claims, afterEpoch, afterSeq, writer))
  end
  if kept < afterSeq then
    return { 'lost', text(kept + 1), text(afterSeq), text(headEpoch), text(headSeq), headNode }
  end
  return { 'fenced', text(headEpoch), text(headSeq), headNode }
end

if epoch < headEpoch or (epoch == headEpoch and head[4] ~= writer) then
  return { 'fenced', text(headEpoch), text(headSeq), headNode }
end

if headSeq > 0 and redis.call('EXISTS', KEYS[2]) == 0 then
  return { 'lost', '1', text(headSeq), text(headEpoch), text(headSeq), headNode }
end

-- Refusals of the server (no room, a replica, a failed save) come at the first write or not at all.
for index = 1, count do
  local id = text(afterSeq + index) .. '-0'
  local added = redis.pcall('XADD', KEYS[2], id, 'r', ARGV[7 + index])
  if type(added) == 'table' and added.err then
    if index == 1 and string.find(added.err, 'equal or smaller', 1, true) then
      return { 'damaged', 'records stand behind the head at ' .. text(headEpoch) .. ':' .. text(headSeq) }
    end
    return added
  end
end
if epoch > headEpoch then
  redis.call('HSET', KEYS[3], ARGV[3], text(afterSeq) .. ':' .. writer)
  if redis.call('HLEN', KEYS[3]) > claimsMax then
    local oldest
    for _, claimed in ipairs(redis.call('HKEYS', KEYS[3])) do
      if oldest == nil or tonumber(claimed) < tonumber(oldest) then
        oldest = claimed
      end
    end
    redis.call('HDEL', KEYS[3], oldest)
  end
end
if headSeq == 0 then
  redis.call('HSET', KEYS[1], 'first', '1')
end
redis.call('HSET', KEYS[1],
  'epoch', ARGV[3], 'seq', text(endSeq), 'hash', ARGV[7], 'writer', writer, 'node', ARGV[2])
return { 'appended' }
