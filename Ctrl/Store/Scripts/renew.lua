-- KEYS: record, index, types, leases, orphans
-- ARGV: lease (ms), member, type, id, lease id, grace (ms)
-- Returns 1, or 0 when there is no such record: the holder then registers again.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local held = redis.call('HMGET', KEYS[1], 'entity_type', 'entity_id', 'id', 'lease_id', 'addr')
if ARGV[3] == 'agent' then
  -- A hash without an address is what a lapsed agent wrote after its key was gone: not a registration.
  if not held[5] then return 0 end
else
  if (held[1] or 'engine') ~= ARGV[3] or (held[2] or held[3]) ~= ARGV[4] then return 0 end
  if ARGV[5] ~= '' and held[4] and held[4] ~= ARGV[5] then return 0 end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local now = redis.call('TIME')
local ends = now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[1]
if redis.call('ZADD', KEYS[4], ends, ARGV[2]) == 1 then
  redis.call('SADD', KEYS[2], ARGV[4])
  if ARGV[3] ~= 'agent' then redis.call('SADD', KEYS[3], ARGV[3]) end
end
if ARGV[3] == 'agent' then redis.call('ZADD', KEYS[5], ends + ARGV[6], ARGV[2]) end
return 1
