--[[
  Makes a snapshot that was uploaded one of the two kept, and trims the log behind the older one.

  The record at the older snapshot's place stays, so that who opens the log can compare them. A
  snapshot older than both is dropped; one at the place of another takes its place.

  KEYS[1]  head, as in append-records-3.lua; its fields `newer` and `older` are the places of the
           snapshots kept, `<epoch>:<seq>`
  KEYS[2]  log, as in append-records-3.lua
  KEYS[3]  the newer snapshot, a list: its manifest, then its pieces in chunks
  KEYS[4]  the older one
  KEYS[5]  the one that was uploaded, which has a time to live
  ARGV[1]  epoch of the snapshot's place
  ARGV[2]  its seq
  ARGV[3]  chain hash there, 32 bytes
  ARGV[4]  elements of the uploaded list

  Returns one of
    {'kept'}                it is one of the two, or older than both
    {'absent', count}       the uploaded list is gone, or has so many elements: upload it again
    {'astray', epoch, seq}  the log has no such record; where its head is
]]
local head = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'hash', 'first', 'newer', 'older')
local headSeq = tonumber(head[2] or 0)
local first = tonumber(head[4] or 1)
local seq = tonumber(ARGV[2])
local place = ARGV[1] .. ':' .. ARGV[2]

local function seqOf(kept)
  return kept and tonumber(string.match(kept, ':(%d+)$')) or 0
end

local newer, older = head[5], head[6]
local length = redis.call('LLEN', KEYS[5])
if length == 0 and (newer == place or older == place) then
  return { 'kept' }
end
if length ~= tonumber(ARGV[4]) then
  return { 'absent', length }
end
if seq < first or seq < seqOf(older) then
  redis.call('UNLINK', KEYS[5])
  return { 'kept' }
end

-- The chain hash of a record is its bytes 2 to 33.
local isInLog = seq == headSeq and head[1] == ARGV[1] and head[3] == ARGV[3]
if not isInLog and seq < headSeq then
  local entry = redis.call('XRANGE', KEYS[2], ARGV[2] .. '-0', ARGV[2] .. '-0')[1]
  isInLog = entry ~= nil and string.sub(entry[2][2], 2, 33) == ARGV[3]
end
if not isInLog then
  redis.call('UNLINK', KEYS[5])
  return { 'astray', head[1] or '0', head[2] or '0' }
end

redis.call('PERSIST', KEYS[5])
if seq < seqOf(newer) then
  redis.call('RENAME', KEYS[5], KEYS[4])
  older = place
else
  if seq > seqOf(newer) and redis.call('EXISTS', KEYS[3]) == 1 then
    redis.call('RENAME', KEYS[3], KEYS[4])
    older = newer
  end
  redis.call('RENAME', KEYS[5], KEYS[3])
  newer = place
end
if newer then
  redis.call('HSET', KEYS[1], 'newer', newer)
end
if older then
  redis.call('HSET', KEYS[1], 'older', older)
end
if seqOf(older) > first and redis.call('EXISTS', KEYS[4]) == 1 then
  local keep = string.format('%.0f', seqOf(older))
  redis.call('XTRIM', KEYS[2], 'MINID', '=', keep .. '-0')
  redis.call('HSET', KEYS[1], 'first', keep)
end
return { 'kept' }
