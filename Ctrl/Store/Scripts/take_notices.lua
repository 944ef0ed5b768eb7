-- KEYS: inbox
local notices = redis.call('LRANGE', KEYS[1], 0, -1)
redis.call('DEL', KEYS[1])
return notices
