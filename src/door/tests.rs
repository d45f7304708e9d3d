//! The door as clients find it that send nothing, read nothing, or come in crowds.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::Instant,
};

use axum::routing::get;

use super::*;

/// More than the buffers between two sockets hold.
const LARGE: usize = 32 << 20;

/// Limits that a test can wait for.
const SHORT: Limits = Limits { most: 2, each: 2, head: Duration::from_millis(300), unread: Duration::from_millis(500) };

/// A server with these limits.
fn small(limits: Limits) -> (tokio::runtime::Runtime, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let router =
        Router::new().route("/", get(|| async { "here" })).route("/large", get(|| async { "x".repeat(LARGE) }));
    let door = Door { listener, address, tls: None, room: Room::new(limits, &[]) };
    runtime.spawn(door.serve(router, CancellationToken::new(), Duration::ZERO));
    (runtime, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

/// What comes until the other side closes, and whether it does.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("not closed: {error}"),
    }
    String::from_utf8(bytes).unwrap()
}

fn send(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = connect(address);
    // A crowd's connection may be closed before this.
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok();
    stream
}

fn wait_for_room(address: SocketAddr) {
    let began = Instant::now();
    while !rest(send(address, "/")).ends_with("here") {
        assert!(began.elapsed() < Duration::from_secs(10), "no room");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_sends_no_head_is_cut_off() {
    let (_runtime, address) = small(SHORT);
    for begin in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "] {
        let began = Instant::now();
        let mut stream = connect(address);
        stream.write_all(begin.as_bytes()).unwrap();
        rest(stream);
        assert!(began.elapsed() < Duration::from_secs(4), "{begin:?}");
    }
}

#[test]
fn a_crowd_is_turned_away_and_who_goes_makes_room() {
    let (_runtime, address) = small(Limits { head: Duration::from_secs(60), ..SHORT });
    let held = [connect(address), connect(address)];
    thread::sleep(Duration::from_millis(100));
    assert_eq!(rest(send(address, "/")), "");
    drop(held);
    wait_for_room(address);
}

#[test]
fn who_never_reads_is_cut_off_and_who_reads_slowly_is_not() {
    let (_runtime, address) = small(SHORT);
    let held = [send(address, "/large"), send(address, "/large")];
    thread::sleep(Duration::from_millis(100));
    assert_eq!(rest(send(address, "/")), "");
    wait_for_room(address);
    for stream in held {
        stream.shutdown(Shutdown::Both).ok();
    }
    let mut slow = send(address, "/large");
    let began = Instant::now();
    let (mut part, mut read) = (vec![0; 1 << 20], 0);
    loop {
        match slow.read(&mut part).unwrap() {
            0 => break,
            bytes => read += bytes,
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(read > LARGE, "{read} bytes");
    assert!(began.elapsed() > SHORT.unread, "a reader as fast as this shows nothing");
}
