--[[
  Writes the head as it is, when a batch is in the log: a WAIT behind it on the same connection then
  waits for replicas that have the batch, whichever connection the batch came on.

  KEYS[1]  head, as in append-records-3.lua
  KEYS[2]  claims, as in append-records-3.lua
  ARGV[1]  writer of the batch, 16 bytes
  ARGV[2]  its epoch
  ARGV[3]  seq of its last record

  Returns 1 when the batch is in the log, 0 when it is not; then nothing was written.
]]
local head = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'writer')
local headEpoch = tonumber(head[1] or 0)
local epoch = tonumber(ARGV[2])
local endSeq = tonumber(ARGV[3])

-- Where the epoch ends: at the head, or where the next epoch begins.
local ending = headEpoch == epoch and tonumber(head[2]) or 0
if headEpoch > epoch then
  local nearest
  local claims = redis.call('HGETALL', KEYS[2])
  for index = 1, #claims, 2 do
    local claimed = tonumber(claims[index])
    if claimed > epoch and (nearest == nil or claimed < nearest) then
      nearest = claimed
      ending = tonumber(string.match(claims[index + 1], '^%d+'))
    end
  end
end
local claim = redis.call('HGET', KEYS[2], ARGV[2])
if not claim or string.match(claim, '^%d+:(.*)$') ~= ARGV[1] or ending < endSeq then
  return 0
end
redis.call('HSET', KEYS[1], 'writer', head[3])
return 1
