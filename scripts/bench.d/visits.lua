-- Load for the visit tracker: wrk -s visits.lua URL -- visit SITE | batch SITE | get
-- Requests are written once, so that the load costs little; each names another visitor and another page.
-- At the end one line of JSON goes to standard output.

local agents = {
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
}
local referrers = { "https://www.google.com/", "https://news.ycombinator.com/", "https://duckduckgo.com/", "" }
local requests, at = {}, 0

local function visit(site, number)
  return string.format(
    '{"user_id":"user-%d","page_url":"https://%s/page/%d","user_agent":"%s","referrer":"%s"}',
    number, site, number % 5000, agents[number % #agents + 1], referrers[number % #referrers + 1])
end

function init(args)
  local mode, site = args[1], args[2]
  if mode == "visit" then
    local headers = { ["content-type"] = "application/json" }
    for number = 1, 20000 do
      requests[number] = wrk.format("POST", nil, headers, visit(site, number))
    end
  elseif mode == "batch" then
    local headers = { ["content-type"] = "application/x-ndjson" }
    for number = 1, 40 do
      local lines = {}
      for nth = 1, 500 do lines[nth] = visit(site, number * 500 + nth) end
      requests[number] = wrk.format("POST", nil, headers, table.concat(lines, "\n"))
    end
  else
    requests[1] = wrk.format("GET")
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"refused":%d,"lost":%d,"p50_ms":%f,"p99_ms":%f}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
