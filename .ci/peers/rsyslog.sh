#!/usr/bin/env bash
# rsyslog on loopback: UDP, TCP (octet counting and LF), TLS, mTLS and a local socket. What arrives stands in
# PEER_RSYSLOG_LOG, one JSON object a line; `input` says by which listener it came.
# shellcheck source=peer.bash
source "$(dirname "${BASH_SOURCE[0]}")/peer.bash"
tree=$cache/rsyslog

install() {
    debian_packages "$tree" rsyslog rsyslog-openssl
}

launch() {
    local root=$tree/root libraries udp tcp lf tls mtls
    libraries=$(library_folders "$root")
    "$peers/certificates" "$dir/tls"
    read -r udp tcp lf tls mtls <<<"$(free_ports 5)"
    mkdir -p "$dir/state"
    configuration >"$dir/rsyslog.conf"
    export LD_LIBRARY_PATH=$libraries
    daemon "$root/usr/sbin/rsyslogd" -n -f "$dir/rsyslog.conf" -i "$dir/state/pid" -M "${libraries%%:*}/rsyslog"
    until_ready 20 listening "$tcp" "$lf" "$tls" "$mtls"
    address PEER_RSYSLOG_UDP "127.0.0.1:$udp"
    address PEER_RSYSLOG_TCP "127.0.0.1:$tcp"
    address PEER_RSYSLOG_TCP_LF "127.0.0.1:$lf"
    address PEER_RSYSLOG_TLS "127.0.0.1:$tls"
    address PEER_RSYSLOG_MTLS "127.0.0.1:$mtls"
    address PEER_RSYSLOG_UNIX "$dir/state/socket"
    address PEER_RSYSLOG_CERTIFICATES "$dir/tls"
    address PEER_RSYSLOG_LOG "$dir/received.jsonl"
}

# Control characters are kept as they came, so that the tests see the bytes and not rsyslog's spelling of them.
configuration() {
    cat <<CONF
global(workDirectory="$dir/state" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
    defaultNetstreamDriverCAFile="$dir/tls/ca.pem"
    defaultNetstreamDriverCertFile="$dir/tls/server.pem"
    defaultNetstreamDriverKeyFile="$dir/tls/server.key")
module(load="imudp")
module(load="imptcp")
module(load="imuxsock" SysSock.Use="off")
module(load="imtcp" StreamDriver.Name="ossl")
template(name="line" type="list" option.jsonf="on") {
    property(outname="input" name="inputname" format="jsonf")
    property(outname="pri" name="pri" format="jsonf")
    property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="app" name="app-name" format="jsonf")
    property(outname="procid" name="procid" format="jsonf")
    property(outname="msgid" name="msgid" format="jsonf")
    property(outname="sd" name="structured-data" format="jsonf")
    property(outname="message" name="msg" format="jsonf")
    property(outname="raw" name="rawmsg" format="jsonf")
}
ruleset(name="keep") { action(type="omfile" file="$dir/received.jsonl" template="line" asyncWriting="off") }
input(type="imudp" address="127.0.0.1" port="$udp" name="udp" ruleset="keep")
input(type="imptcp" address="127.0.0.1" port="$tcp" name="tcp" ruleset="keep")
input(type="imptcp" address="127.0.0.1" port="$lf" name="tcp_lf" supportOctetCountedFraming="off" ruleset="keep")
input(type="imtcp" address="127.0.0.1" port="$tls" name="tls" ruleset="keep"
    StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" address="127.0.0.1" port="$mtls" name="mtls" ruleset="keep"
    StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
input(type="imuxsock" socket="$dir/state/socket" ruleset="keep")
CONF
}

main "$@"
