--[[
  Reads who has said something since a number, in the order in which they did, and where placements are.

  KEYS[1]  heard, as in announce-2.lua
  KEYS[2]  said, as in announce-2.lua
  KEYS[3]  changes, as in place-3.lua
  KEYS[4]  trail, as in place-3.lua
  ARGV[1]  the number of the last word that is known, 0 for none; one that is not given yet (the server was
           emptied, or another has taken its place) is as 0
  ARGV[2]  the number up to which it is read; empty for the last
  ARGV[3]  how many are read at most

  Returns {now, last, change, id, name, number, said, name, number, said …}: this server's time, ms; the
  number of the last word; the number of the last change of placements, 0 for none, and its id; and of each
  that has said something its name, number and what is in `said`.
]]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or '0'
local change = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2] or '0'
local reply = { string.format('%.0f', now), last, change, redis.call('LINDEX', KEYS[4], 0) or '' }

local from = tonumber(ARGV[1]) > tonumber(last) and '0' or ARGV[1]
local to = ARGV[2] == '' and '+inf' or ARGV[2]
local found = redis.call(
  'ZRANGEBYSCORE', KEYS[1], '(' .. from, to, 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for index = 1, #found, 2 do
  reply[#reply + 1] = found[index]
  reply[#reply + 1] = found[index + 1]
  reply[#reply + 1] = redis.call('HGET', KEYS[2], found[index]) or ''
end
return reply
