//! /etc/hosts (hosts(5)) and /etc/services (services(5)).

use super::{Families, Found, address};
use crate::c::file::Lines;

/// Lines that are longer are left out.
type File = Lines<1024>;

/// The words of a line, up to a comment.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let comment = line.iter().position(|&b| b == b'#').unwrap_or(line.len());
    line[..comment]
        .split(|b| b.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
}

/// Adds the addresses that /etc/hosts has for a name.
pub(super) fn host(name: &[u8], families: Families, found: &mut Found) {
    if let Ok(mut file) = File::open(c"/etc/hosts") {
        while let Some(line) = file.next() {
            host_line(line, name, families, found);
        }
    }
}

fn host_line(line: &[u8], name: &[u8], families: Families, found: &mut Found) {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut words = words(line);
    let Some((address, scope)) = words.next().and_then(address::parse) else {
        return;
    };
    let mut canonical = None;
    for word in words {
        let canonical = *canonical.get_or_insert(word);
        if word.eq_ignore_ascii_case(name) && families.take(&address) {
            found.add(address, scope);
            found.set_name(canonical);
        }
    }
}

/// The port of a service.
pub(super) fn service(name: &[u8], protocol: &str) -> Option<u16> {
    let mut file = File::open(c"/etc/services").ok()?;
    while let Some(line) = file.next() {
        if let Some(port) = service_line(line, name, protocol) {
            return Some(port);
        }
    }
    None
}

fn service_line(line: &[u8], name: &[u8], protocol: &str) -> Option<u16> {
    let mut words = words(line);
    let first = words.next()?;
    let (port, its_protocol) = core::str::from_utf8(words.next()?).ok()?.split_once('/')?;
    (its_protocol == protocol && (first == name || words.any(|alias| alias == name)))
        .then(|| port.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::IpAddr;

    #[test]
    fn hosts() {
        let mut found = Found::new();
        let both = Families { v4: true, v6: true };
        for line in [
            "# 10.0.0.9 box",
            "10.0.0.1\tbox.example.org BOX # box",
            "10.0.0.2 boxes",
            "fe80::1%3 box",
            "not-an-address box",
            "10.0.0.1 box",
            "",
        ] {
            host_line(line.as_bytes(), b"box.", both, &mut found);
        }
        let v4: IpAddr = "10.0.0.1".parse().expect("an address");
        let v6: IpAddr = "fe80::1".parse().expect("an address");
        assert_eq!(found.as_slice(), [(v4, 0), (v6, 3)]);
        assert_eq!(found.name(), b"box.example.org");
        let mut found = Found::new();
        host_line(
            b"10.0.0.1 box",
            b"box",
            Families {
                v4: false,
                v6: true,
            },
            &mut found,
        );
        assert!(found.as_slice().is_empty());
    }

    #[test]
    fn every_line_of_a_name_counts() {
        let mut found = Found::new();
        let both = Families { v4: true, v6: true };
        for n in 0..200 {
            host_line(
                format!("10.0.0.{n} box").as_bytes(),
                b"box",
                both,
                &mut found,
            );
        }
        assert_eq!(found.as_slice().len(), 200);
        assert_eq!(found.complete(), Ok(()));
    }

    #[test]
    fn services() {
        let line = b"domain 53/tcp nameserver dns # DNS";
        assert_eq!(service_line(line, b"domain", "tcp"), Some(53));
        assert_eq!(service_line(line, b"dns", "tcp"), Some(53));
        assert_eq!(service_line(line, b"dns", "udp"), None);
        assert_eq!(service_line(line, b"DNS", "tcp"), None);
        assert_eq!(service_line(b"x 70000/tcp", b"x", "tcp"), None);
        assert_eq!(service_line(b"x", b"x", "tcp"), None);
    }
}
