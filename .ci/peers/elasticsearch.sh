#!/usr/bin/env bash
# One Elasticsearch node on loopback with security on: real answers to right, wrong and unentitled credentials. This
# distribution is for tests and carries few modules: no data streams, no index lifecycle, not even `GET /`.
# shellcheck source=peer.bash
source "$(dirname "${BASH_SOURCE[0]}")/peer.bash"
# shellcheck source=search_node.bash
source "$peers/search_node.bash"
version=9.2.0
archive=$cache/elasticsearch-$version.zip
password=watchbell-peer

install() {
    distribution "org.elasticsearch.distribution.integ-test-zip:elasticsearch:$version" \
        bf44938a0490ba2a303d39c9cb64b38963dd08c812ce93e10816e878585bcb6b "$archive"
}

launch() {
    local home http transport
    read -r http transport <<<"$(free_ports 2)"
    unpack "$archive"
    cat >"$home/config/elasticsearch.yml" <<YAML
cluster.name: watchbell-peer
discovery.type: single-node
network.host: 127.0.0.1
http.port: $http
transport.port: $transport
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: true
xpack.security.autoconfiguration.enabled: false
YAML
    users
    node bin/elasticsearch ES_JAVA_HOME ES_JAVA_OPTS
    until_ready 400 healthy --user "writer:$password" "http://127.0.0.1:$http/_cluster/health?wait_for_status=yellow&timeout=2s"
    address PEER_ELASTICSEARCH "http://127.0.0.1:$http"
    address PEER_ELASTICSEARCH_PASSWORD "$password"
}

# `writer` may do what a set-up does; `narrow` may write to allowed-* and to nothing else. Both have the password above, here
# as its bcrypt hash, which is how the node's own file of users wants it.
users() {
    # shellcheck disable=SC2016
    local hash='$2b$04$abcdefghijklmnopqrstuuf0zVRB4rOuxU5HFpBXwvi42/bLhC9ri'
    printf '%s\n' "writer:$hash" "narrow:$hash" >"$home/config/users"
    printf '%s\n' 'superuser:writer' 'narrow_role:narrow' >"$home/config/users_roles"
    cat >"$home/config/roles.yml" <<YAML
narrow_role:
  cluster: ["monitor"]
  indices:
    - names: ["allowed-*"]
      privileges: ["create_doc", "auto_configure", "create_index"]
YAML
}

main "$@"
