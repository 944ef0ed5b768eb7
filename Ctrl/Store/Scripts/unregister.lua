-- KEYS: record, revision, index, leases
-- ARGV: channel, member, type, id, event subject, lease id
-- Returns 1 when a record was removed, else 0.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local held = redis.call('HMGET', KEYS[1], 'entity_type', 'entity_id', 'id', 'lease_id')
if (held[1] or 'engine') ~= ARGV[3] or (held[2] or held[3]) ~= ARGV[4] then return 0 end
if ARGV[6] ~= '' and held[4] and held[4] ~= ARGV[6] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[3], ARGV[4])
redis.call('ZREM', KEYS[4], ARGV[2])
local revision = redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[1], '{"event_type":"REMOVE",' .. ARGV[5] .. ',"timestamp":' .. redis.call('TIME')[1]
  .. ',"revision":' .. string.format('%.0f', revision) .. '}')
return 1
