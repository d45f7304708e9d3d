#!/usr/bin/env bash
# One OpenSearch node on loopback, the real distribution without plugins: plain HTTP, no security, no index state management.
# It refuses to run as root, so root starts it as `nobody`, out of a folder that `nobody` can reach.
# shellcheck source=peer.bash
source "$(dirname "${BASH_SOURCE[0]}")/peer.bash"
version=3.4.0
checksum=6540e95fe8bfaedc3eb1c58e829912ea2203af2ac1f88f76411c20a2fc5254a6
archive=$cache/opensearch-$version.zip

install() {
    java_home >/dev/null || skip 'no Java of version 21 or newer (looked at OPENSEARCH_JAVA_HOME, JAVA_HOME, /usr/lib/jvm, /opt)'
    need unzip curl sha256sum
    if [ ! -e "$archive" ]; then
        need mvn
        local part=$cache/opensearch.part
        rm -rf "$part"
        mkdir -p "$part"
        mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dmdep.stripVersion=true \
            -Dartifact=org.opensearch.distribution.integ-test-zip:opensearch:$version:zip -DoutputDirectory="$part" \
            >"$part/log" 2>&1 || { tail -n 5 "$part/log" >&2; skip "Maven can not fetch OpenSearch $version"; }
        mv "$part/opensearch.zip" "$archive"
        rm -rf "$part"
    fi
    echo "$checksum  $archive" | sha256sum --check --quiet || { rm "$archive"; fail "$archive is not OpenSearch $version"; }
}

# The first Java that is new enough; Debian's own may be older than what OpenSearch asks for.
java_home() {
    local home major
    for home in "${OPENSEARCH_JAVA_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/*; do
        [ -x "$home/bin/java" ] || continue
        major=$("$home/bin/java" -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p')
        if [ "${major:-0}" -ge 21 ]; then
            echo "$home"
            return
        fi
    done
    return 1
}

launch() {
    local as=() home http transport
    read -r http transport <<<"$(free_ports 2)"
    home=$(mktemp -d "${TMPDIR:-/tmp}/watchbell-opensearch.XXXXXX")
    echo "$home" >"$dir/home"
    unzip -q "$archive" -d "$home"
    cat >"$home/opensearch-$version/config/opensearch.yml" <<YAML
cluster.name: watchbell-peer
discovery.type: single-node
network.host: 127.0.0.1
http.port: $http
transport.port: $transport
cluster.routing.allocation.disk.threshold_enabled: false
YAML
    if [ "$(id -u)" = 0 ]; then
        need setpriv
        as=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)
        chown -R nobody "$home"
    fi
    cd "$home/opensearch-$version"
    daemon "${as[@]}" env -i PATH="$PATH" HOME="$home" OPENSEARCH_JAVA_HOME="$(java_home)" \
        OPENSEARCH_JAVA_OPTS='-Xms512m -Xmx512m -XX:-UseG1GC -XX:+UseSerialGC -XX:TieredStopAtLevel=1' nice bin/opensearch
    until_ready 180 answers "http://127.0.0.1:$http"
    address PEER_OPENSEARCH "http://127.0.0.1:$http"
}

answers() {
    curl --fail --silent --max-time 5 "$1/_cluster/health?wait_for_status=yellow&timeout=2s"
}

stopped() {
    [ ! -s "$dir/home" ] || rm -rf "$(cat "$dir/home")"
}

main "$@"
