-- KEYS: record, index, types, leases   ARGV: member, type, id, lease (ms)
-- Indexes a record that another control plane wrote. Returns 1 when it was new to the index.
local left = redis.call('PTTL', KEYS[1])
if left == -2 then return 0 end
if left == -1 then left = ARGV[4] end
local now = redis.call('TIME')
if redis.call('ZADD', KEYS[4], 'NX', now[1] * 1000 + math.floor(now[2] / 1000) + left, ARGV[1]) == 0 then return 0 end
redis.call('SADD', KEYS[2], ARGV[3])
if ARGV[2] ~= 'agent' then redis.call('SADD', KEYS[3], ARGV[2]) end
return 1
