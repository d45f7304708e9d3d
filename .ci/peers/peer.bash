# What every peer's script shares: `NAME.sh start DIR`, `NAME.sh stop DIR`, `NAME.sh install`. Sourced, not run.
#
# A script defines `install` (fills the cache) and `launch` (sets up $dir, starts with `daemon`, waits with `until_ready`,
# writes addresses with `address`), where needed `stopped` (clears up), then ends with `main "$@"`.
# Exit codes: 0 ready, 75 the peer can't be had here (the reason stands in the line SKIP), anything else is a failure.
set -euo pipefail

# shellcheck disable=SC2034
peers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${WATCHBELL_CI_CACHE:-${HOME:-/tmp}/.cache/watchbell-ci}/peers

skip() {
    printf 'SKIP %s: %s\n' "$(basename "$0")" "$*" >&2
    exit 75
}

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || skip "$tool is absent"
    done
}

# Free for TCP and UDP, and below the range from which the kernel gives ports to clients, so that nobody takes one between
# this look and the peer's bind.
free_ports() {
    need python3
    python3 - "$1" <<'PYTHON'
import random, socket, sys

wanted, kept = int(sys.argv[1]), []
while len(kept) < wanted:
    port = random.randrange(20000, 32000)
    pair = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    try:
        for one in pair:
            one.bind(("127.0.0.1", port))
        kept.append((port, pair))
    except OSError:
        continue
print(*(port for port, _ in kept))
PYTHON
}

# One line of address.env; the value is quoted for the shell.
address() {
    printf '%s=%q\n' "$1" "$2" >>"$dir/address.env"
}

daemon() {
    "$@" </dev/null >"$dir/log" 2>&1 &
    echo $! >"$dir/pid"
}

alive() {
    [ -s "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null
}

# until_ready SECONDS COMMAND...: waits for the command to hold; shows the peer's log when the peer dies or is too slow.
until_ready() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if ! alive; then
            tail -n 40 "$dir/log" >&2
            stop
            fail 'ended before it was ready; its log is above'
        fi
        if [ "$SECONDS" -ge "$deadline" ]; then
            tail -n 40 "$dir/log" >&2
            stop
            fail 'was not ready in time; its log is above'
        fi
        sleep 0.2
    done
}

# All of these TCP ports on loopback take a connection.
listening() {
    local port
    for port in "$@"; do
        (: <>"/dev/tcp/127.0.0.1/$port") || return 1
    done
}

stop() {
    local patience=100
    ! alive || kill "$(cat "$dir/pid")" 2>/dev/null || true
    while alive; do
        patience=$((patience - 1))
        if [ "$patience" -eq 0 ]; then
            kill -KILL "$(cat "$dir/pid")" 2>/dev/null || true
        fi
        sleep 0.1
    done
    rm -f "$dir/pid"
    if declare -F stopped >/dev/null; then stopped; fi
}

# debian_packages FOLDER PACKAGE...: the packages, and what they need and the machine lacks, unpacked into FOLDER. Not
# installed: rsyslog and syslog-ng exclude each other, and neither may become this machine's log.
debian_packages() {
    local into=$1 part names
    shift
    [ -e "$into/complete" ] && return
    need apt-get dpkg dpkg-query
    part=$into.part
    rm -rf "$into" "$part"
    mkdir -p "$part/deb"
    if ! names=$(missing_packages "$@"); then
        if [ "$(id -u)" = 0 ]; then apt-get update -qq; else sudo -n apt-get update -qq; fi ||
            skip 'the lists of Debian packages are absent and can not be fetched'
        names=$(missing_packages "$@") || skip "Debian has no package named ${*}"
    fi
    # shellcheck disable=SC2086
    (cd "$part/deb" && apt-get download -qq $names 2>"$part/log") || {
        tail -n 3 "$part/log" >&2
        skip "could not download $names"
    }
    for deb in "$part"/deb/*.deb; do
        dpkg -x "$deb" "$part/root"
        basename "$deb" >>"$part/complete"
    done
    rm -rf "$part/deb"
    mv "$part" "$into"
}

# The resolver's answer reads `'uri' name_version_architecture.deb size checksum`.
missing_packages() {
    apt-get install --print-uris -qq --reinstall --no-install-recommends "$@" 2>/dev/null |
        sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" | grep .
}

# Where the architecture's libraries stand inside of an unpacked folder, joined by colons; some packages still use /lib.
library_folders() {
    local folder found=
    for folder in "$1"/usr/lib/*-linux-gnu "$1"/lib/*-linux-gnu; do
        [ -d "$folder" ] && found+=${found:+:}$folder
    done
    echo "$found"
}

# Two runs at once must not fill one cache at once.
install_once() {
    mkdir -p "$cache"
    need flock
    (flock 9; install) 9>"$cache/$(basename "$0").lock"
}

main() {
    case ${1:-} in
        install) install_once ;;
        start | stop)
            [ -n "${2:-}" ] || fail "usage: $0 $1 DIR"
            mkdir -p "$2"
            dir=$(cd "$2" && pwd)
            if [ "$1" = stop ]; then
                stop
                return
            fi
            install_once
            : >"$dir/address.env"
            launch
            ;;
        *) fail "usage: $0 install | start DIR | stop DIR" ;;
    esac
}
