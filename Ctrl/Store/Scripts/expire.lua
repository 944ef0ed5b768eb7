-- KEYS: record, revision, index, leases
-- ARGV: channel, member, type, id, event subject, lease (ms)
-- Returns 1 when the record lapsed, 0 when it still lives. Any number of replicas may sweep: only one finds the member.
if not redis.call('ZSCORE', KEYS[4], ARGV[2]) then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left ~= -2 then
  if left == -1 then left = ARGV[6] end
  local now = redis.call('TIME')
  redis.call('ZADD', KEYS[4], now[1] * 1000 + math.floor(now[2] / 1000) + left, ARGV[2])
  return 0
end
redis.call('ZREM', KEYS[4], ARGV[2])
redis.call('SREM', KEYS[3], ARGV[4])
if ARGV[3] == 'agent' then return 1 end
local revision = redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[1], '{"event_type":"REMOVE",' .. ARGV[5] .. ',"timestamp":' .. redis.call('TIME')[1]
  .. ',"revision":' .. string.format('%.0f', revision) .. '}')
return 1
