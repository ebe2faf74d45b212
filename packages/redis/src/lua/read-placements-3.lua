--[[
  Reads the placements that changed since a change that is known, in the order of their last changes; all of
  them when that change is not of this history: the server was emptied, went back to an older copy and on from
  there, or has made more changes since than the trail holds.

  KEYS[1]  placed, as in place-3.lua
  KEYS[2]  changes, as in place-3.lua
  KEYS[3]  trail, as in place-3.lua
  ARGV[1]  number of the change that is known, 0 for none
  ARGV[2]  its id
  ARGV[3]  number from which on it is read: that one, or a later one where a reading goes on
  ARGV[4]  how many are read at most

  Returns {isKnown, change, id, subject, number, placed, subject, number, placed …}: 1 when the change is of
  this history, 0 when it is not and what follows are all placements from the first; number and id of the last
  change; and of each placement its subject, the number of its change and what is in `placed`.
]]
local change = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2] or '0'
local behind = tonumber(change) - tonumber(ARGV[1])
local isKnown = tonumber(ARGV[1]) > 0 and behind >= 0
  and redis.call('LINDEX', KEYS[3], string.format('%.0f', behind)) == ARGV[2]
local reply = { isKnown and 1 or 0, change, redis.call('LINDEX', KEYS[3], 0) or '' }

local from = isKnown and ARGV[3] or '0'
local found = redis.call(
  'ZRANGEBYSCORE', KEYS[2], '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[4])
for index = 1, #found, 2 do
  reply[#reply + 1] = found[index]
  reply[#reply + 1] = found[index + 1]
  reply[#reply + 1] = redis.call('HGET', KEYS[1], found[index]) or ''
end
return reply
