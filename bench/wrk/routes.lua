-- GET of 1 000 paths in turn, spread over 10 000 groups, so that no single route stays warm.
dofile("report.lua")

local requests = {}
local next = 0

function init(args)
  for i = 0, 999 do
    local group = (i * 7919) % 9999
    requests[i] = wrk.format("GET", string.format("/bench/group-%d/items/%d", group, i))
  end
end

function request()
  next = (next + 1) % 1000
  return requests[next]
end
