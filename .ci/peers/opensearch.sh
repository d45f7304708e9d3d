#!/usr/bin/env bash
# One OpenSearch node on loopback, the real distribution without plugins: plain HTTP, no security, no index state management.
# shellcheck source=peer.bash
source "$(dirname "${BASH_SOURCE[0]}")/peer.bash"
# shellcheck source=search_node.bash
source "$peers/search_node.bash"
version=3.4.0
archive=$cache/opensearch-$version.zip

install() {
    distribution "org.opensearch.distribution.integ-test-zip:opensearch:$version" \
        6540e95fe8bfaedc3eb1c58e829912ea2203af2ac1f88f76411c20a2fc5254a6 "$archive"
}

launch() {
    local home http transport
    read -r http transport <<<"$(free_ports 2)"
    unpack "$archive"
    cat >"$home/config/opensearch.yml" <<YAML
cluster.name: watchbell-peer
discovery.type: single-node
network.host: 127.0.0.1
http.port: $http
transport.port: $transport
cluster.routing.allocation.disk.threshold_enabled: false
YAML
    node bin/opensearch OPENSEARCH_JAVA_HOME OPENSEARCH_JAVA_OPTS
    until_ready 400 healthy "http://127.0.0.1:$http/_cluster/health?wait_for_status=yellow&timeout=2s"
    address PEER_OPENSEARCH "http://127.0.0.1:$http"
}

main "$@"
