use super::*;

/// An answer to `question` with the given response code and records (type, data).
fn answer(question: &Question, code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
    let mut message = question.packet().to_vec();
    message[2] = 0x81;
    message[3] = 0x80 | code;
    message[7] = records.len() as u8;
    for (kind, data) in records {
        // The owner is a reference to the question's name.
        message.extend([0xc0, 12]);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(*data);
    }
    message
}

fn read(question: &Question, message: &[u8]) -> (Option<Outcome>, Vec<String>) {
    let mut items = Vec::new();
    let outcome = question.read(message, |item| {
        items.push(match item {
            Item::Address(address) => address.to_string(),
            Item::Name(name) => String::from_utf8_lossy(name).into_owned(),
        })
    });
    (outcome, items)
}

fn question(kind: Kind) -> Question {
    Question::new(0x1234, b"www.Example.org", kind).expect("a name")
}

#[test]
fn a_question_is_as_the_rfc_has_it() {
    let wanted = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07Example\x03org\0\0\x01\0\x01";
    assert_eq!(question(Kind::V4).packet(), wanted);
    for bad in ["", ".", "a..b", ".a", &"x".repeat(64), &"abc.".repeat(70)] {
        assert!(
            Question::new(1, bad.as_bytes(), Kind::V4).is_none(),
            "{bad:?}"
        );
    }
    let longest = format!("{}{}", "abcdefg.".repeat(31), "abcde");
    assert!(Question::new(1, longest.as_bytes(), Kind::V4).is_some());
}

#[test]
fn addresses_and_aliases_are_read() {
    let q = question(Kind::V4);
    // An alias: "cdn", then a reference to "Example.org" in the question.
    let alias = [b"\x03cdn".as_slice(), &[0xc0, 12 + 4]].concat();
    let message = answer(
        &q,
        0,
        &[
            (TYPE_CNAME, &alias),
            (TYPE_A, &[10, 0, 0, 1]),
            (TYPE_AAAA, &[0; 16]),
            (TYPE_A, &[1, 2]),
        ],
    );
    assert_eq!(
        read(&q, &message),
        (
            Some(Outcome::Exists),
            vec!["cdn.Example.org".into(), "10.0.0.1".into()]
        )
    );
    let q = question(Kind::V6);
    let message = answer(&q, 0, &[(TYPE_AAAA, &Ipv6Addr::LOCALHOST.octets())]);
    assert_eq!(
        read(&q, &message),
        (Some(Outcome::Exists), vec!["::1".into()])
    );
}

#[test]
fn codes() {
    let q = question(Kind::V4);
    assert_eq!(read(&q, &answer(&q, 3, &[])).0, Some(Outcome::NoSuchName));
    assert_eq!(read(&q, &answer(&q, 2, &[])).0, Some(Outcome::Refused));
    let mut cut = answer(&q, 0, &[]);
    cut[2] |= 2;
    assert_eq!(read(&q, &cut).0, Some(Outcome::Truncated));
}

#[test]
fn what_is_no_answer_to_the_question_is_ignored() {
    let q = question(Kind::V4);
    let good = answer(&q, 0, &[(TYPE_A, &[10, 0, 0, 1])]);
    let spoil = |at: usize| {
        let mut message = good.clone();
        message[at] ^= 0x40;
        read(&q, &message)
    };
    assert_eq!(spoil(0).0, None, "another id");
    assert_eq!(spoil(14).0, None, "another name");
    assert_eq!(read(&q, q.packet()).0, None, "not an answer");
    // A name in other letters is the same name.
    let mut message = good.clone();
    message[13] ^= 0x20;
    assert_eq!(read(&q, &message).0, Some(Outcome::Exists));
}

#[test]
fn damaged_messages_are_survived() {
    let q = question(Kind::V4);
    let alias = [0xc0, 12];
    let good = answer(&q, 0, &[(TYPE_CNAME, &alias), (TYPE_A, &[10, 0, 0, 1])]);
    for length in 0..good.len() {
        read(&q, &good[..length]);
    }
    for at in 0..good.len() {
        for value in 0..=255 {
            let mut message = good.clone();
            message[at] = value;
            read(&q, &message);
        }
    }
    // An alias that refers to itself.
    let own_place = good.len() as u16;
    let mut ring = answer(
        &q,
        0,
        &[
            (TYPE_CNAME, &alias),
            (TYPE_A, &[10, 0, 0, 1]),
            (TYPE_CNAME, &[0, 0]),
        ],
    );
    let at = ring.len() - 2;
    assert!(own_place < 0x3fff);
    ring[at..].copy_from_slice(&(0xc000 | at as u16).to_be_bytes());
    assert_eq!(read(&q, &ring).0, Some(Outcome::Exists));
}
