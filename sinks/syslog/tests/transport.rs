//! Messages over real sockets on loopback: what arrives, what is noticed when it does not, and what goes out again.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::time::Duration;

use support::{
    assert_delivered, batch, counted,
    receiver::{self, Authority, Identity},
    rfc5424, sink,
};
use tokio::net::{TcpListener, UdpSocket, UnixDatagram, UnixListener};
use watchbell_sink::{ErrorKind, Finding, Sink, Steps, testkit::findings};

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn ids(messages: &[Vec<u8>]) -> Vec<String> {
    let id = |message: &Vec<u8>| rfc5424::parse(message).unwrap().parameter("finding_id").unwrap().to_owned();
    messages.iter().map(id).collect()
}

fn ids_of(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| finding.id.clone()).collect()
}

fn tls_sink(port: u16, authority: &Authority, client: Option<&Identity>) -> std::sync::Arc<dyn Sink> {
    let mut options =
        format!("transport = 'tls'\naddress = '127.0.0.1:{port}'\n[tls]\nca = '''{}'''\n", authority.pem());
    if let Some(client) = client {
        options.push_str(&format!("cert = '''{}'''\nkey = '''{}'''\n", client.cert, client.key));
    }
    sink(&options)
}

#[tokio::test]
async fn streams_carry_every_message_over_one_connection() {
    let (listener, port) = listener().await;
    let sink = sink(&format!("transport = 'tcp'\naddress = '127.0.0.1:{port}'"));
    let all = findings::samples(300, 11);
    let receiving = tokio::spawn(async move { receiver::read(&mut receiver::accept(&listener).await).await });
    for part in all.chunks(100) {
        assert_delivered(&sink.deliver(&batch(&*sink, part)).await.unwrap());
    }
    assert_eq!(ids(&counted(&receiving.await.unwrap()).unwrap()), ids_of(&all));
}

#[tokio::test]
async fn datagrams_carry_one_message_each() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let sink = sink(&format!("transport = 'udp'\naddress = '{address}'"));
    let all = findings::samples(50, 12);
    assert_delivered(&sink.deliver(&batch(&*sink, &all)).await.unwrap());
    let mut arrived = Vec::new();
    let mut buffer = vec![0; 65_536];
    while arrived.len() < all.len() {
        let length = tokio::time::timeout(Duration::from_secs(2), socket.recv(&mut buffer)).await.unwrap().unwrap();
        arrived.push(buffer[..length].to_vec());
    }
    assert_eq!(ids(&arrived), ids_of(&all));
    drop(socket);
    let error = sink.deliver(&batch(&*sink, &all)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_closed_port_is_the_moments() {
    let (listener, port) = listener().await;
    drop(listener);
    let sink = sink(&format!("transport = 'tcp'\naddress = '127.0.0.1:{port}'"));
    let error = sink.deliver(&batch(&*sink, &[findings::sample()])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains(&format!("127.0.0.1:{port}")), "{error}");
    let mut steps = Steps::default();
    assert!(sink.check(&mut steps).await.is_err());
    assert!(steps.has_failed());
}

#[tokio::test]
async fn tls_is_spoken_with_those_who_are_trusted_only() {
    let (listener, port) = listener().await;
    let (authority, stranger) = (Authority::new("ours"), Authority::new("stranger"));
    let acceptor = receiver::acceptor(&authority.identity("127.0.0.1"), None);
    let all = findings::samples(40, 13);
    let receiving = tokio::spawn(async move {
        let mut stream = receiver::accept_tls(&listener, &acceptor).await.unwrap();
        let arrived = receiver::read(&mut stream).await;
        let refused = receiver::accept_tls(&listener, &acceptor).await.is_err();
        (arrived, refused)
    });
    let sink = tls_sink(port, &authority, None);
    assert_delivered(&sink.deliver(&batch(&*sink, &all)).await.unwrap());
    tokio::time::sleep(receiver::QUIET * 2).await;
    let distrusting = tls_sink(port, &stranger, None);
    let error = distrusting.deliver(&batch(&*distrusting, &all)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    assert!(error.message.contains("certificate"), "{error}");
    let (arrived, refused) = receiving.await.unwrap();
    assert_eq!(ids(&counted(&arrived).unwrap()), ids_of(&all));
    assert!(refused);
}

#[tokio::test]
async fn a_refused_client_certificate_is_seen_before_anything_is_written() {
    let (listener, port) = listener().await;
    let (authority, clients) = (Authority::new("ours"), Authority::new("clients"));
    let acceptor = receiver::acceptor(&authority.identity("127.0.0.1"), Some(&clients));
    tokio::spawn(async move { while receiver::accept_tls(&listener, &acceptor).await.is_err() {} });
    let wrong = Authority::new("other").identity("gate");
    for client in [None, Some(&wrong)] {
        let sink = tls_sink(port, &authority, client);
        let error = sink.deliver(&batch(&*sink, &[findings::sample()])).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth, "{error}");
        let mut steps = Steps::default();
        let error = sink.check(&mut steps).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth, "{error}");
        let last = steps.all().last().unwrap();
        assert!(steps.has_failed() && last.name == "receiver", "{steps:?}");
    }
}

#[tokio::test]
async fn a_refusal_that_takes_its_time_is_waited_for() {
    let (authority, clients) = (Authority::new("ours"), Authority::new("clients"));
    let acceptor = receiver::acceptor(&authority.identity("127.0.0.1"), Some(&clients));
    let (listener, port) = listener().await;
    tokio::spawn(async move { while receiver::accept_tls(&listener, &acceptor).await.is_err() {} });
    for milliseconds in [50, 150] {
        let slow = receiver::slow_way(port, Duration::from_millis(milliseconds)).await;
        let sink = tls_sink(slow, &authority, None);
        let error = sink.deliver(&batch(&*sink, &[findings::sample()])).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth, "{milliseconds} ms each way: {error}");
    }
}

#[tokio::test]
async fn a_renewed_certificate_takes_over() {
    let (listener, port) = listener().await;
    let (authority, old, new) = (Authority::new("ours"), Authority::new("old"), Authority::new("new"));
    let own = authority.identity("127.0.0.1");
    let all = findings::samples(20, 14);
    let (before, after) = (receiver::acceptor(&own, Some(&old)), receiver::acceptor(&own, Some(&new)));
    let receiving = tokio::spawn(async move {
        let mut arrived = Vec::new();
        {
            let mut stream = receiver::accept_tls(&listener, &before).await.unwrap();
            arrived.extend(receiver::read(&mut stream).await);
        }
        while arrived.len() < usize::MAX {
            if let Ok(mut stream) = receiver::accept_tls(&listener, &after).await {
                arrived.extend(receiver::read(&mut stream).await);
                break;
            }
        }
        arrived
    });
    let sink = tls_sink(port, &authority, Some(&old.identity("gate")));
    assert_delivered(&sink.deliver(&batch(&*sink, &all[..10])).await.unwrap());
    tokio::time::sleep(receiver::QUIET * 2).await;
    let error = sink.deliver(&batch(&*sink, &all[10..])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth, "{error}");
    let sink = tls_sink(port, &authority, Some(&new.identity("gate")));
    assert_delivered(&sink.deliver(&batch(&*sink, &all[10..])).await.unwrap());
    assert_eq!(ids(&counted(&receiving.await.unwrap()).unwrap()), ids_of(&all));
}

#[tokio::test]
async fn what_a_broken_connection_may_have_lost_goes_out_again() {
    let (listener, port) = listener().await;
    let sink = sink(&format!("transport = 'tcp'\naddress = '127.0.0.1:{port}'\nresend_last = 3"));
    let all = findings::samples(12, 15);
    let receiving = tokio::spawn(async move {
        let first = receiver::accept(&listener).await;
        first.readable().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        // Closing over unread bytes resets the connection: nothing of them was read.
        drop(first);
        receiver::read(&mut receiver::accept(&listener).await).await
    });
    assert_delivered(&sink.deliver(&batch(&*sink, &all[..5])).await.unwrap());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_delivered(&sink.deliver(&batch(&*sink, &all[5..])).await.unwrap());
    assert_eq!(ids(&counted(&receiving.await.unwrap()).unwrap()), ids_of(&all[2..]));
}

#[tokio::test]
async fn a_receiver_that_read_everything_and_left_gets_nothing_twice() {
    let (listener, port) = listener().await;
    let sink = sink(&format!("transport = 'tcp'\naddress = '127.0.0.1:{port}'"));
    let all = findings::samples(12, 16);
    let receiving = tokio::spawn(async move {
        let mut arrived = receiver::read(&mut receiver::accept(&listener).await).await;
        arrived.extend(receiver::read(&mut receiver::accept(&listener).await).await);
        arrived
    });
    assert_delivered(&sink.deliver(&batch(&*sink, &all[..5])).await.unwrap());
    tokio::time::sleep(Duration::from_millis(1300)).await;
    assert_delivered(&sink.deliver(&batch(&*sink, &all[5..])).await.unwrap());
    assert_eq!(ids(&counted(&receiving.await.unwrap()).unwrap()), ids_of(&all));
}

#[tokio::test]
async fn local_sockets_of_both_kinds_are_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let sink = sink(&format!("transport = 'local'\nsocket = '{}'", path.display()));
    let batch = batch(&*sink, &findings::samples(5, 17));
    let error = sink.deliver(&batch).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    let mut steps = Steps::default();
    assert!(sink.check(&mut steps).await.is_err() && steps.has_failed());
    let socket = UnixDatagram::bind(&path).unwrap();
    assert_delivered(&sink.deliver(&batch).await.unwrap());
    let mut buffer = vec![0; 65_536];
    for delivery in batch.deliveries() {
        let length = socket.recv(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], delivery.payload.bytes());
    }
    drop(socket);
    std::fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    assert_delivered(&sink.deliver(&batch).await.unwrap());
    let arrived = receiver::read(&mut listener.accept().await.unwrap().0).await;
    let messages: Vec<&[u8]> = arrived.strip_suffix(b"\0").unwrap().split(|&byte| byte == 0).collect();
    assert_eq!(messages.len(), 5);
    assert!(sink.check(&mut Steps::default()).await.is_ok());
}

#[tokio::test]
async fn a_check_writes_nothing() {
    let (listener, port) = listener().await;
    let sink = sink(&format!("transport = 'tcp'\naddress = '127.0.0.1:{port}'"));
    let receiving = tokio::spawn(async move {
        let (mut one, mut two) = (receiver::accept(&listener).await, receiver::accept(&listener).await);
        [receiver::read(&mut one).await, receiver::read(&mut two).await].concat()
    });
    let mut steps = Steps::default();
    sink.check(&mut steps).await.unwrap();
    assert!(!steps.has_failed());
    assert_eq!(receiving.await.unwrap(), b"");
}
