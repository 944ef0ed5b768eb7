-- KEYS: name counter, index, leases
-- ARGV: key prefix ("scope:" or ""), alias ("" asks for a generated name), name prefix, lease (ms), member head, instance, then field, value, ...
-- Returns the name, or false when the alias is taken.
local function free(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then return true end
  if kind ~= 'hash' then return false end
  local held = redis.call('HMGET', key, 'addr', 'instance')
  return not held[1] or (ARGV[6] ~= '' and held[2] == ARGV[6])
end
local name = ARGV[2]
if name == '' then
  repeat
    name = ARGV[3] .. '-' .. string.format('%x', redis.call('INCR', KEYS[1]))
  until free(ARGV[1] .. 'agent:' .. name)
elseif not free(ARGV[1] .. 'agent:' .. name) then
  return false
end
local key = ARGV[1] .. 'agent:' .. name
local now = redis.call('TIME')
local fields = { 'updated_at', now[1] }
for i = 7, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('DEL', key)
redis.call('HSET', key, unpack(fields))
redis.call('PEXPIRE', key, ARGV[4])
redis.call('SADD', KEYS[2], name)
redis.call('ZADD', KEYS[3], now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[4], ARGV[5] .. name)
return name
