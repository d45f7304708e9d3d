-- For wrk: POST /analyze with 100 events, no two requests with the same ones. Each thread has its own accounts and addresses,
-- and time goes on from request to request.

local thread_number = 0
local minute = 0

function setup(thread)
    thread:set("id", thread_number)
    thread_number = thread_number + 1
end

function init()
    math.randomseed(id + 1)
end

local function event(at)
    local account = math.random(0, 199)
    local status = math.random() < 0.03 and "failure" or "success"
    local action = math.random() < 0.5 and "login" or "read"
    return string.format(
        '{"timestamp":"2026-%02d-%02dT%02d:%02d:%02dZ","user":"user%d-%d","source_ip":"192.0.2.%d","action":"%s",'
            .. '"status":"%s","resource":"/share/%d","host":"host%d","bytes":%d}',
        1 + math.floor(minute / 40320) % 12, 1 + math.floor(minute / 1440) % 28, math.floor(minute / 60) % 24, minute % 60,
        math.floor(at * 0.6), id, account, 1 + account, action, status, math.random(1, 40), account % 20, math.random(100, 90000)
    )
end

function request()
    minute = minute + 1
    local events = {}
    for at = 0, 99 do
        events[at + 1] = event(at)
    end
    local body = '{"logs":[' .. table.concat(events, ",") .. "]}"
    return wrk.format("POST", "/analyze", { ["Content-Type"] = "application/json" }, body)
end

-- In the header of every answer, so that a refused request is not taken for a fast one.
function response(status)
    if status ~= 200 then
        wrk.thread:stop()
    end
end

function done(summary, latency)
    local seconds = summary.duration / 1e6
    local errors = summary.errors
    io.write(string.format(
        "requests per second: %.1f (%.0f events per second)\np50: %.1f ms\np99: %.1f ms\nlongest: %.1f ms\n"
            .. "requests: %d\nfailed: %d\n",
        summary.requests / seconds, 100 * summary.requests / seconds, latency:percentile(50) / 1000,
        latency:percentile(99) / 1000, latency.max / 1000, summary.requests,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout
    ))
end
