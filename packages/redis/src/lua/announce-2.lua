--[[
  Takes what an incarnation of a node announces, or that it withdraws, in place of what it said before.

  Ages are counted from here on, by this server's clock. What is older than it may be is forgotten, a few
  at a time, the oldest first; and so is the oldest beyond the bound. When the clock has gone back, what was
  taken after now counts as taken now, so that who is silent gets older all the same.

  KEYS[1]  heard, a sorted set: `<node>/<incarnation>` by the number of its last word, 1 and up
  KEYS[2]  said, a hash: the same -> `<ms>:<bytes>`, when it was taken and what was announced; `<ms>` alone
           of who has withdrawn
  ARGV[1]  `<node>/<incarnation>`
  ARGV[2]  how long it is kept, ms
  ARGV[3]  how many are kept
  ARGV[4]  channel on which others are told to read at once, of a withdrawal or a newcomer; empty for none
  ARGV[5]  the bytes; not there for a withdrawal

  Returns 'taken'.
]]
local lookedAtMax = 4

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local keptForMs = tonumber(ARGV[2])

local function text(number)
  return string.format('%.0f', number)
end

-- One of the two was evicted or deleted: what is left is of no use, and all come back with their next word.
if redis.call('ZCARD', KEYS[1]) ~= redis.call('HLEN', KEYS[2]) then
  redis.call('DEL', KEYS[1], KEYS[2])
end

local last = tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or 0)
local isNew = redis.call('ZADD', KEYS[1], text(last + 1), ARGV[1]) == 1
redis.call('HSET', KEYS[2], ARGV[1], text(now) .. (ARGV[5] and ':' .. ARGV[5] or ''))

local excess = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
for index, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, lookedAtMax - 1)) do
  local said = redis.call('HGET', KEYS[2], name) or ''
  local digits = string.match(said, '^%d+') or ''
  local at = tonumber(digits) or 0
  if index <= excess or at <= now - keptForMs then
    redis.call('ZREM', KEYS[1], name)
    redis.call('HDEL', KEYS[2], name)
  elseif at > now then
    redis.call('HSET', KEYS[2], name, text(now) .. string.sub(said, #digits + 1))
  end
end

redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if ARGV[4] ~= '' and (isNew or not ARGV[5]) then
  -- Who may not publish goes without: it is a hint.
  redis.pcall('PUBLISH', ARGV[4], 'members')
end
return 'taken'
