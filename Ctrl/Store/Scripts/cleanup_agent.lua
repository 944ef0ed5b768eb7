-- KEYS: agent, index, leases, orphans, links, then every other key to delete
-- ARGV: member, agent, key prefix, notice, inbox limit, inbox TTL (s), unscoped (1/0), then the peers to tell
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('DEL', KEYS[5])
for i = 6, #KEYS do redis.call('DEL', KEYS[i]) end
local function tell(inbox)
  redis.pcall('LPUSH', inbox, ARGV[4])
  redis.pcall('LTRIM', inbox, 0, ARGV[5] - 1)
  redis.pcall('EXPIRE', inbox, ARGV[6])
end
for i = 8, #ARGV do
  redis.pcall('SREM', ARGV[3] .. 'nano_index::links:' .. ARGV[i], ARGV[2])
  tell(ARGV[3] .. 'inbox:' .. ARGV[i])
  -- Unscoped agents listen on a name with an empty scope before the colon.
  if ARGV[7] == '1' then tell(':inbox:' .. ARGV[i]) end
end
return 1
