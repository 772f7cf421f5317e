-- GET of the path on the command line, at a pace that leaves every program about half idle: each
-- connection waits a few milliseconds before it asks again.
dofile("report.lua")

function delay()
  return math.random(2, 4)
end
