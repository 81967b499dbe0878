//! Against a server in the test itself.

use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};

/// As many addresses as a message by TCP holds, or nearly.
const MANY: u16 = 4000;

/// What the server answers, by the first label of the name.
fn reply(question: &[u8], by_tcp: bool) -> Option<Vec<u8>> {
    let label = &question[13..13 + usize::from(question[12])];
    let kind = question[question.len() - 3];
    let mut message = question.to_vec();
    message[2] |= 0x80;
    let mut add = |data: &[u8]| {
        let count = u16::from_be_bytes([message[6], message[7]]) + 1;
        message[6..8].copy_from_slice(&count.to_be_bytes());
        message.extend([
            0xc0,
            12,
            0,
            if data.len() == 4 { 1 } else { 28 },
            0,
            1,
            0,
            0,
            0,
            9,
            0,
            data.len() as u8,
        ]);
        message.extend(data);
    };
    match (label, kind) {
        (b"both" | b"big", 1) => add(&[10, 0, 0, 1]),
        (b"both" | b"big", 28) => add(&[1; 16]),
        (b"many", 1) => (0..MANY).for_each(|n| add(&[10, 1, (n >> 8) as u8, n as u8])),
        (b"four", 1) => add(&[10, 0, 0, 4]),
        (b"four" | b"empty" | b"many", _) => {}
        (b"broken", _) => message[3] |= 2,
        (b"silent", _) => return None,
        _ => message[3] |= 3,
    }
    if !by_tcp && (message.len() > 512 || label == b"big") {
        message.truncate(question.len());
        message[6..8].copy_from_slice(&[0, 0]);
        message[2] |= 2;
    }
    Some(message)
}

/// A server on a free port of this machine, by UDP and TCP.
fn server() -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = tcp.local_addr().expect("bound");
    let udp = UdpSocket::bind(address).expect("the same port by UDP");
    std::thread::spawn(move || {
        let mut buf = [0; 512];
        while let Ok((n, from)) = udp.recv_from(&mut buf) {
            if let Some(message) = reply(&buf[..n], false) {
                // First something that is no answer to the question.
                let mut other = message.clone();
                other[0] ^= 0xff;
                udp.send_to(&other, from).expect("send");
                udp.send_to(&message, from).expect("send");
            }
        }
    });
    std::thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.expect("a connection");
            let mut length = [0; 2];
            stream.read_exact(&mut length).expect("a length");
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).expect("a question");
            let message = reply(&question, true).expect("an answer");
            let framed = [&(message.len() as u16).to_be_bytes(), message.as_slice()].concat();
            // In two parts, as a network may deliver it.
            stream.write_all(&framed[..20]).expect("send");
            std::thread::sleep(std::time::Duration::from_millis(20));
            stream.write_all(&framed[20..]).expect("send");
        }
    });
    address
}

fn resolve_at(
    servers: &[SocketAddr],
    name: &str,
    use_tcp: bool,
) -> (Result<(), c_int>, Vec<String>) {
    let mut config = Config::for_servers(servers);
    config.timeout = 300;
    config.use_tcp = use_tcp;
    let mut found = Found::new();
    let result = resolve(
        &config,
        name.as_bytes(),
        Families { v4: true, v6: true },
        &mut found,
    );
    (
        result,
        found
            .as_slice()
            .iter()
            .map(|(address, _)| address.to_string())
            .collect(),
    )
}

#[test]
fn names_are_resolved_as_the_server_says() {
    let at = [server()];
    let both = vec![
        "10.0.0.1".to_owned(),
        "101:101:101:101:101:101:101:101".to_owned(),
    ];
    let resolve = |name, tcp| {
        let (result, mut addresses) = resolve_at(&at, name, tcp);
        addresses.sort();
        (result, addresses)
    };
    assert_eq!(resolve("both.test", false), (Ok(()), both.clone()));
    assert_eq!(resolve("both.test", true), (Ok(()), both.clone()));
    assert_eq!(resolve("big.test", false), (Ok(()), both));
    assert_eq!(
        resolve("four.test", false),
        (Ok(()), vec!["10.0.0.4".to_owned()])
    );
    assert_eq!(
        resolve("empty.test", false),
        (Err(libc::EAI_NODATA), vec![])
    );
    assert_eq!(resolve("none.test", false), (Err(libc::EAI_NONAME), vec![]));
    assert_eq!(
        resolve("broken.test", false),
        (Err(libc::EAI_AGAIN), vec![])
    );
    assert_eq!(
        resolve("silent.test", false),
        (Err(libc::EAI_AGAIN), vec![])
    );
    assert_eq!(
        resolve("not..a.name", false),
        (Err(libc::EAI_NONAME), vec![])
    );
}

#[test]
fn every_address_of_a_name_is_found() {
    let (result, addresses) = resolve_at(&[server()], "many.test", false);
    assert_eq!(result, Ok(()));
    let wanted = (0..MANY).map(|n| format!("10.1.{}.{}", n >> 8, n & 0xff));
    assert_eq!(addresses, wanted.collect::<Vec<_>>());
}

#[test]
fn a_dead_server_is_passed_over() {
    let nobody = UdpSocket::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("bound");
    let started = std::time::Instant::now();
    let (result, addresses) = resolve_at(&[nobody, server()], "four.test", false);
    assert_eq!((result, addresses), (Ok(()), vec!["10.0.0.4".to_owned()]));
    assert!(
        started.elapsed() < std::time::Duration::from_millis(250),
        "a refused port is no reason to wait"
    );
}
