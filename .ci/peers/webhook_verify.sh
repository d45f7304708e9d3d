#!/usr/bin/env bash
# A webhook receiver on loopback that checks signatures with the `standardwebhooks` package of PyPI.
# shellcheck source=peer.bash
source "$(dirname "${BASH_SOURCE[0]}")/peer.bash"
version=1.1.0
python=$cache/standardwebhooks-$version/bin/python

# Two secrets, as while one replaces the other: the receiver at /old knows the first, at /new the second.
old=whsec_d2F0Y2hiZWxsIG9sZCBzZWNyZXQgMzIgYnl0ZXMgISE=
new=whsec_d2F0Y2hiZWxsIG5ldyBzZWNyZXQgMzIgYnl0ZXMgISE=

install() {
    [ -e "$(dirname "$python")/../complete" ] && return
    need python3
    local folder=$cache/standardwebhooks-$version
    rm -rf "$folder"
    mkdir -p "$cache"
    python3 -m venv "$folder" || skip 'python3 can not make a virtual environment'
    "$python" -m pip install --quiet --disable-pip-version-check "standardwebhooks==$version" ||
        skip "pip can not fetch standardwebhooks $version"
    touch "$folder/complete"
}

launch() {
    local port
    port=$(free_ports 1)
    daemon "$python" "$peers/webhook_verify.py" "$port" "$dir/received.jsonl" "old=$old" "new=$new"
    until_ready 20 listening "$port"
    address PEER_WEBHOOK_VERIFY_OLD "http://127.0.0.1:$port/old"
    address PEER_WEBHOOK_VERIFY_NEW "http://127.0.0.1:$port/new"
    address PEER_WEBHOOK_VERIFY_OLD_SECRET "$old"
    address PEER_WEBHOOK_VERIFY_NEW_SECRET "$new"
    address PEER_WEBHOOK_VERIFY_LOG "$dir/received.jsonl"
}

main "$@"
