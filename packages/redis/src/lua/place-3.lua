--[[
  Keeps a placement when the version that is kept of its subject is the one that is expected.

  Asked again with a placing that is kept already, it says so and writes nothing, so whoever lost the
  answer may ask until there is one.

  KEYS[1]  placed, a hash: subject -> `<version> <placing> <bytes>`
  KEYS[2]  changes, a sorted set: subject by the number of its last change, 1 and up
  KEYS[3]  trail, a list: ids of the last 100 changes, newest first; an id stands for all changes up to its own
  ARGV[1]  subject
  ARGV[2]  version that is expected, 0 for none
  ARGV[3]  version of the placement
  ARGV[4]  name of the placing, never used before, without a space
  ARGV[5]  the bytes
  ARGV[6]  how many subjects may be placed
  ARGV[7]  channel on which others are told to read at once; empty for none

  Returns one of
    {'placed'}              it is kept
    {'conflict', placed}    it is not: what is kept, as in `placed`; empty when nothing is
    {'full'}                it is not: so many subjects are placed
]]
local trailMax = 100

-- Something of it was evicted or deleted: what is left is of no use, and nodes give back what they know.
if redis.call('ZCARD', KEYS[2]) ~= redis.call('HLEN', KEYS[1]) then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
end

local kept = redis.call('HGET', KEYS[1], ARGV[1])
local version, placing = '0', nil
if kept then
  version, placing = string.match(kept, '^(%d+) (%S+) ')
end
if version == ARGV[3] and placing == ARGV[4] then
  return { 'placed' }
end
if version ~= ARGV[2] then
  return { 'conflict', kept or '' }
end
if not kept and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then
  return { 'full' }
end

local value = ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5]
local last = tonumber(redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2] or 0)
redis.call('ZADD', KEYS[2], string.format('%.0f', last + 1), ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], value)
local before = redis.call('LINDEX', KEYS[3], 0) or ''
redis.call('LPUSH', KEYS[3], redis.sha1hex(before .. '\n' .. ARGV[1] .. '\n' .. value))
redis.call('LTRIM', KEYS[3], 0, trailMax - 1)
if ARGV[7] ~= '' then
  -- Who may not publish goes without: it is a hint.
  redis.pcall('PUBLISH', ARGV[7], 'placements')
end
return { 'placed' }
