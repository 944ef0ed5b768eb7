-- ARGV: key prefix, type, filtered by kind (1/0), kind, then ids
-- Info texts of the records among them that live, are this scope's and are of the kind. Asked for a few hundred ids at a time.
local infos = {}
for i = 5, #ARGV do
  local held = redis.pcall('HMGET', ARGV[1] .. ARGV[2] .. ':' .. ARGV[i], 'info', 'entity_type', 'entity_id', 'id', 'kind')
  if not held.err and held[1] and (held[2] or 'engine') == ARGV[2] and (held[3] or held[4]) == ARGV[i]
      and (ARGV[3] == '0' or held[5] == ARGV[4]) then
    infos[#infos + 1] = held[1]
  end
end
return infos
