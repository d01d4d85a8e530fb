-- Sends one request, `depth` times in a row, and prints what was measured as one line of JSON.
--
-- Only hooks that run before and after the load are used: a hook on each request or response would make wrk the slower side.
-- wrk itself counts answers whose status is not 2xx or 3xx; that every answer had its full length is seen from the bytes.
-- Arguments: method, bytes of content, depth.

function init(args)
  local size, depth = tonumber(args[2]), tonumber(args[3])
  wrk.method = args[1]
  if size > 0 then
    wrk.body = string.rep("x", size)
  end
  local format = wrk.format
  wrk.format = function(...)
    return string.rep(format(...), depth)
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nREPORT {"requests": %d, "bytes": %d, "microseconds": %d, "p50": %d, "p99": %d, "connect": %d, "read": %d, ' ..
      '"write": %d, "status": %d, "timeout": %d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
