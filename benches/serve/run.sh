#!/usr/bin/env bash
# Requests per second and memory of `watchbell serve`: 100 events a request, each request different.
#
#   benches/serve/run.sh --binary target/release/watchbell [--seconds 300] [--connections 8] [--threads 2]
#
# Needs wrk, curl and awk. Prints what wrk measured, then memory second by second in short, then what the server counted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
binary=target/release/watchbell seconds=300 connections=8 threads=2
while [ $# -gt 0 ]; do
    case $1 in
        --binary) binary=$2 ;;
        --seconds) seconds=$2 ;;
        --connections) connections=$2 ;;
        --threads) threads=$2 ;;
        *) sed -n '2,6p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
binary=$(realpath "$binary")
script=$PWD/benches/serve/analyze.lua
scratch=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$scratch"' EXIT

cd "$scratch"
# Everybody may ask as often as they like.
printf '[serve]\nrate_per_minute = 4294967295\n' >watchbell.toml
"$binary" serve --listen 127.0.0.1:0 >address 2>log &
server=$!
for _ in $(seq 100); do
    grep -q '^listening on ' address && break
    sleep 0.1
done
base=$(sed -n 's|^listening on ||p' address)
[ -n "$base" ] || { cat log >&2; exit 1; }

resident() {
    awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$server/status"
}

before=$(resident)
wrk --threads "$threads" --connections "$connections" --duration "${seconds}s" --timeout 30s --script "$script" "$base" >wrk &
load=$!
while kill -0 "$load" 2>/dev/null; do
    resident >>memory || break
    sleep 1
done
wait "$load"
sed -n '/^requests per second/,$p' wrk
awk -v before="$before" -v half="$((seconds / 2))" '
    { all[NR] = $1; if ($1 > most) most = $1 }
    END { printf "memory: %d MB before, %d MB after a tenth, %d MB at half, %d MB at the end, %d MB at most\n",
          before, all[int(NR / 10) + 1], all[int(NR / 2) + 1], all[NR], most }' memory
curl -fsS "$base/metrics" | awk '
    /^watchbell_events_total.*analyze/ { events = $2 }
    /^watchbell_findings_total/ { findings += $2 }
    /^watchbell_http_requests_total.*analyze/ && !/status="(200|499)"/ { refused += $2 }
    END { printf "counted: %d events, %d findings, %d requests not answered with 200\n", events, findings, refused }'
