-- POST of 1 KB to the path on the command line.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("x", 1024)
dofile("report.lua")
