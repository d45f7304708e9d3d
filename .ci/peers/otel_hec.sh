#!/usr/bin/env bash
# The OpenTelemetry collector's HEC receiver on loopback, with indexer acknowledgment and a token. What arrives stands in
# PEER_OTEL_HEC_LOG, one OTLP JSON object a line. Two listeners: with acknowledgment, and without.
# shellcheck source=peer.bash
source "$(dirname "${BASH_SOURCE[0]}")/peer.bash"
binary=$cache/otelcol-hec-$(cat "$peers"/otelcol_hec/{main.go,go.mod,go.sum} | cksum | cut -d ' ' -f 1)
token=00000000-0000-4000-8000-000000000001

install() {
    [ -e "$binary" ] && return
    need go
    mkdir -p "$cache"
    (cd "$peers/otelcol_hec" && nice go build -p 1 -trimpath -ldflags '-s -w' -o "$binary.part" .) >"$binary.log" 2>&1 || {
        tail -n 5 "$binary.log" >&2
        # What the modules' source does not have can not be mended here; what does not compile can.
        if grep -qE 'module lookup disabled|dial tcp|no such host|404 Not Found|410 Gone|not available|i/o timeout' "$binary.log"; then
            skip 'the Go modules can not be fetched'
        fi
        fail 'the collector does not build'
    }
    mv "$binary.part" "$binary"
}

launch() {
    local acknowledged plain
    read -r acknowledged plain <<<"$(free_ports 2)"
    cat >"$dir/collector.yaml" <<YAML
extensions:
  ack:
  bearertokenauth:
    scheme: Splunk
    token: "$token"
receivers:
  splunk_hec/acknowledged:
    endpoint: 127.0.0.1:$acknowledged
    auth: { authenticator: bearertokenauth }
    ack: { extension: ack }
  splunk_hec/plain:
    endpoint: 127.0.0.1:$plain
    auth: { authenticator: bearertokenauth }
exporters:
  file: { path: "$dir/received.jsonl", flush_interval: 100ms }
service:
  extensions: [ack, bearertokenauth]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [splunk_hec/acknowledged, splunk_hec/plain], exporters: [file] }
YAML
    daemon "$binary" --config "file:$dir/collector.yaml"
    until_ready 30 listening "$acknowledged" "$plain"
    address PEER_OTEL_HEC "http://127.0.0.1:$acknowledged"
    address PEER_OTEL_HEC_PLAIN "http://127.0.0.1:$plain"
    address PEER_OTEL_HEC_TOKEN "$token"
    address PEER_OTEL_HEC_LOG "$dir/received.jsonl"
}

main "$@"
