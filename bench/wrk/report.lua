-- What every script ends with: one line of JSON that the benchmark reads.
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'wrk-report {"requests":%d,"bytes":%d,"microseconds":%d,"p50_us":%f,"p99_us":%f,"errors":%d}\n',
    summary.requests, summary.bytes, summary.duration,
    latency:percentile(50), latency:percentile(99), failed))
end
