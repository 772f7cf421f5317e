-- GET of the path on the command line, with a key and a token: whoever asks for neither takes no
-- notice of them, so that all programs read the same request.
dofile("report.lua")
wrk.headers["apikey"] = "a-key-of-the-benchmark"
wrk.headers["Authorization"] = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImJlbmNoIn0.eyJpc3MiOiJiZW5jaCIsInN1YiI6ImFsaWNlIiwiZXhwIjo0MTAyNDQ0ODAwfQ.5dTAUtaYNqjx3h8obN4i7y6JTWb8P2udZIuyXHKSWmw"
