//! Addresses written as numbers.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::interface::interface_index;

/// An address as a number, and the scope of a link-local one (`fe80::1%eth0`).
pub(super) fn parse(text: &[u8]) -> Option<(IpAddr, u32)> {
    if let Some(v4) = parse_v4(text) {
        return Some((v4.into(), 0));
    }
    let text = core::str::from_utf8(text).ok()?;
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().ok()?;
    let scope = match scope {
        None => 0,
        Some(scope) => match scope.parse() {
            Ok(index) => index,
            Err(_) => interface_index(scope.as_bytes())?,
        },
    };
    Some((address.into(), scope))
}

/// inet_aton(3): one to four parts, each decimal, octal (`0`) or hexadecimal (`0x`); the last one fills what is left.
pub(super) fn parse_v4(text: &[u8]) -> Option<Ipv4Addr> {
    let text = core::str::from_utf8(text).ok()?;
    let mut address = 0u32;
    let mut parts = text.split('.').enumerate().peekable();
    while let Some((i, part)) = parts.next() {
        let value = parse_part(part)?;
        let shift = 24u32.checked_sub(8 * u32::try_from(i).ok()?)?;
        if parts.peek().is_some() {
            address |= u32::from(u8::try_from(value).ok()?) << shift;
        } else {
            let limit = 1u64 << (shift + 8);
            address |= (u64::from(value) < limit).then_some(value)?;
        }
    }
    Some(address.into())
}

fn parse_part(part: &str) -> Option<u32> {
    let (digits, radix) = match part.strip_prefix("0x").or(part.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if part.len() > 1 && part.starts_with('0') => (&part[1..], 8),
        None => (part, 10),
    };
    // `from_str_radix` would take a sign.
    digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let v4 = |text: &str| parse_v4(text.as_bytes()).map(|a| a.octets());
        assert_eq!(v4("127.0.0.1"), Some([127, 0, 0, 1]));
        assert_eq!(v4("127.1"), Some([127, 0, 0, 1]));
        assert_eq!(v4("0x7f000001"), Some([127, 0, 0, 1]));
        assert_eq!(v4("010.1.0xff"), Some([8, 1, 0, 255]));
        assert_eq!(v4("1.2.65535"), Some([1, 2, 255, 255]));
        for bad in [
            "",
            ".",
            "1.",
            "1..2",
            "256.1",
            "1.2.3.256",
            "1.2.65536",
            "1.2.3.4.5",
            "+1",
            "-1",
            "1 ",
            "08",
            "0x",
            "a",
        ] {
            assert_eq!(v4(bad), None, "{bad:?}");
        }
        assert_eq!(parse(b"::1"), Some((Ipv6Addr::LOCALHOST.into(), 0)));
        assert_eq!(parse(b"fe80::1%7").map(|(_, scope)| scope), Some(7));
        assert_eq!(parse(b"fe80::1%lo").map(|(_, scope)| scope), Some(1));
        assert_eq!(parse(b"fe80::1%no-such-interface"), None);
        assert_eq!(parse(b"example.org"), None);
    }
}
