# What the OpenSearch and Elasticsearch peers share: a new enough Java, the distribution out of Maven, a user that is not
# root (both refuse to run as root). Sourced after peer.bash.

# The first Java that is new enough; Debian's own may be older than what a node asks for.
java_home() {
    local home major
    for home in "${PEER_JAVA_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/*; do
        [ -x "$home/bin/java" ] || continue
        major=$("$home/bin/java" -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p')
        if [ "${major:-0}" -ge 21 ]; then
            echo "$home"
            return
        fi
    done
    return 1
}

# distribution GROUP:ARTIFACT:VERSION SHA256 FILE: the zip archive, once per cache.
distribution() {
    java_home >/dev/null || skip 'no Java of version 21 or newer (looked at PEER_JAVA_HOME, JAVA_HOME, /usr/lib/jvm, /opt)'
    need unzip curl sha256sum
    if [ ! -e "$3" ]; then
        need mvn
        local part=$3.part
        rm -rf "$part"
        mkdir -p "$part"
        mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
            -Dartifact="$1:zip" -DoutputDirectory="$part" >"$part/log" 2>&1 || {
            grep -m 2 ERROR "$part/log" >&2 || true
            skip "Maven can not fetch $1"
        }
        mv "$part"/*.zip "$3"
        rm -rf "$part"
    fi
    echo "$2  $3" | sha256sum --check --quiet || { rm "$3"; fail "$3 is not what its checksum says"; }
}

# Unpacks an archive to where `nobody` can read, for a root's cache is closed to others. Sets $home.
unpack() {
    local folder
    folder=$(mktemp -d "${TMPDIR:-/tmp}/watchbell-peer.XXXXXX")
    # shellcheck disable=SC2154
    echo "$folder" >"$dir/home"
    unzip -q "$1" -d "$folder"
    home=$(echo "$folder"/*)
}

# node PROGRAM JAVA_VARIABLE OPTIONS_VARIABLE: starts the node in $home, as `nobody` when this is root. A small heap, and the
# collector and compiler that start fastest.
node() {
    local as=()
    if [ "$(id -u)" = 0 ]; then
        need setpriv
        as=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)
        chown -R nobody "$(dirname "$home")"
    fi
    cd "$home" || fail "$home is gone"
    daemon "${as[@]}" env -i PATH="$PATH" HOME="$home" "$2=$(java_home)" \
        "$3=-Xms512m -Xmx512m -XX:-UseG1GC -XX:+UseSerialGC -XX:TieredStopAtLevel=1" "$1"
}

healthy() {
    curl --fail --silent --max-time 5 "$@"
}

stopped() {
    [ ! -s "$dir/home" ] || rm -rf "$(cat "$dir/home")"
    rm -f "$dir/home"
}
