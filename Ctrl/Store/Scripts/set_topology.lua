-- KEYS: the agent's spec
-- ARGV: key prefix, agent, spec JSON, symmetric (1/0), scope as JSON, mailbox limit, mailbox TTL (s), links TTL (s), then the targets
local prefix, agent = ARGV[1], ARGV[2]
local now = redis.call('TIME')
local timestamp = string.format('%s.%06d', now[1], now[2])
local function post(to, peer)
  local key = prefix .. 'stream:' .. to
  redis.pcall('XADD', key, 'MAXLEN', '~', ARGV[6], '*', 'type', 'connect_peer', 'peer', peer, 'timestamp', timestamp)
  redis.pcall('EXPIRE', key, ARGV[7])
end
local function link(a, b)
  local key = prefix .. 'nano_index::links:' .. a
  redis.call('SADD', key, b)
  redis.call('EXPIRE', key, ARGV[8])
end
redis.call('SET', KEYS[1], ARGV[3])
for i = 9, #ARGV do
  post(agent, ARGV[i])
  link(agent, ARGV[i])
  link(ARGV[i], agent)
end
if ARGV[4] == '1' then
  for i = 9, #ARGV do
    local key = prefix .. 'spec:topology:' .. ARGV[i]
    local peers, known = {}, false
    local text = redis.pcall('GET', key)
    if type(text) == 'string' then
      local ok, spec = pcall(cjson.decode, text)
      if ok and type(spec) == 'table' and type(spec.target_peers) == 'table' then
        for _, peer in ipairs(spec.target_peers) do
          if type(peer) == 'string' then
            peers[#peers + 1] = peer
            if peer == agent then known = true end
          end
        end
      end
    end
    if not known then peers[#peers + 1] = agent end
    redis.pcall('SET', key, '{"target_peers":' .. cjson.encode(peers) .. ',"min_bw":null,"symmetric":false,"scope":' .. ARGV[5] .. '}')
    post(ARGV[i], agent)
  end
end
return 1
