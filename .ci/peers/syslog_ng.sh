#!/usr/bin/env bash
# syslog-ng on loopback: UDP, TCP (octet counting and LF), TLS and mTLS. What arrives stands in PEER_SYSLOG_NG_LOG, one
# JSON object a line; `input` says by which listener it came.
# shellcheck source=peer.bash
source "$(dirname "${BASH_SOURCE[0]}")/peer.bash"
tree=$cache/syslog-ng

install() {
    debian_packages "$tree" syslog-ng-core
}

launch() {
    local root=$tree/root modules udp tcp lf tls mtls
    modules=$(echo "$root"/usr/lib/syslog-ng/[0-9]*)
    "$peers/certificates" "$dir/tls"
    read -r udp tcp lf tls mtls <<<"$(free_ports 5)"
    mkdir -p "$dir/state"
    configuration "$(basename "$modules")" >"$dir/syslog-ng.conf"
    LD_LIBRARY_PATH=$root/usr/lib/syslog-ng:$(library_folders "$root")
    export LD_LIBRARY_PATH
    daemon "$root/usr/sbin/syslog-ng" -F --no-caps -f "$dir/syslog-ng.conf" -R "$dir/state/persist" -c "$dir/state/control" \
        -p "$dir/state/pid" --module-path="$modules"
    until_ready 20 listening "$tcp" "$lf" "$tls" "$mtls"
    address PEER_SYSLOG_NG_UDP "127.0.0.1:$udp"
    address PEER_SYSLOG_NG_TCP "127.0.0.1:$tcp"
    address PEER_SYSLOG_NG_TCP_LF "127.0.0.1:$lf"
    address PEER_SYSLOG_NG_TLS "127.0.0.1:$tls"
    address PEER_SYSLOG_NG_MTLS "127.0.0.1:$mtls"
    address PEER_SYSLOG_NG_CERTIFICATES "$dir/tls"
    address PEER_SYSLOG_NG_LOG "$dir/received.jsonl"
}

# Each source is named by what `input` shall say.
configuration() {
    local files="key-file(\"$dir/tls/server.key\") cert-file(\"$dir/tls/server.pem\") ca-file(\"$dir/tls/ca.pem\")"
    cat <<CONF
@version: $1
options { keep-hostname(yes); use-dns(no); dns-cache(no); log-msg-size(65536); stats-freq(0); frac-digits(3); };
source udp { syslog(transport("udp") ip("127.0.0.1") port($udp) flags(store-raw-message)); };
source tcp { syslog(transport("tcp") ip("127.0.0.1") port($tcp) flags(store-raw-message)); };
source tcp_lf { network(transport("tcp") ip("127.0.0.1") port($lf) flags(syslog-protocol, store-raw-message)); };
source tls { syslog(transport("tls") ip("127.0.0.1") port($tls) flags(store-raw-message)
    tls($files peer-verify(optional-untrusted))); };
source mtls { syslog(transport("tls") ip("127.0.0.1") port($mtls) flags(store-raw-message)
    tls($files peer-verify(required-trusted))); };
destination file { file("$dir/received.jsonl" flush-lines(1) template("\$(format-json --key-delimiter ~
    input=\$SOURCE pri=\$PRI time=\$ISODATE host=\$HOST app=\$PROGRAM procid=\$PID msgid=\$MSGID sd=\$SDATA
    message=\$MESSAGE raw=\$RAWMSG)\n")); };
log { source(udp); source(tcp); source(tcp_lf); source(tls); source(mtls); destination(file); };
CONF
}

main "$@"
