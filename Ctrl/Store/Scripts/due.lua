-- KEYS: a sorted set of leases   ARGV: most
-- Members whose lease has ended, by the server's own clock.
local now = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now[1] * 1000 + math.floor(now[2] / 1000), 'LIMIT', 0, ARGV[1])
