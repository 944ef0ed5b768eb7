-- KEYS: stream   ARGV: mailbox limit, mailbox TTL (s), then field, value, ...
local now = redis.call('TIME')
local fields = { 'timestamp', string.format('%s.%06d', now[1], now[2]) }
for i = 3, #ARGV do fields[#fields + 1] = ARGV[i] end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(fields))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return id
