-- KEYS: record, revision, index, types, leases
-- ARGV: channel, lease (ms), member, type, id, event subject, event payload, lease id, then field, value, ...
-- Returns the new revision, or -1 when the key holds another record.
if redis.call('EXISTS', KEYS[1]) == 1 then
  local held = redis.call('HMGET', KEYS[1], 'entity_type', 'entity_id', 'id')
  local held_type = held[1] or 'engine'
  local held_id = held[2] or held[3]
  if held_type ~= ARGV[4] or held_id ~= ARGV[5] then return -1 end
end
local fields = {}
for i = 9, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', KEYS[1], unpack(fields))
if ARGV[8] == '' then redis.call('HDEL', KEYS[1], 'lease_id') else redis.call('HSET', KEYS[1], 'lease_id', ARGV[8]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local revision = redis.call('INCR', KEYS[2])
local now = redis.call('TIME')
redis.call('PUBLISH', ARGV[1], '{"event_type":"ADD",' .. ARGV[6] .. ',"timestamp":' .. now[1]
  .. ',"revision":' .. string.format('%.0f', revision) .. ',"payload":' .. ARGV[7] .. '}')
redis.call('SADD', KEYS[3], ARGV[5])
redis.call('SADD', KEYS[4], ARGV[4])
redis.call('ZADD', KEYS[5], now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[2], ARGV[3])
return revision
