-- GET of the path on the command line. No `request` function: wrk prepares the request once.
dofile("report.lua")
