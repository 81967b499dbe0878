//! Which address to try first: RFC 6724, section 6, by the addresses that this machine would send from.

use core::cmp::{Ordering, Reverse};
use core::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::RawAddress;
use super::list::List;
use crate::c::file::Fd;
use crate::sys;
use linux_raw_sys::general::*;

/// Whether this machine can send to an address of that family at all.
pub(super) fn family_works(loopback: IpAddr) -> bool {
    source_for(loopback, 0).is_some()
}

/// The address from which this machine would send to another: that of a datagram socket that is connected to it, for
/// which no packet is sent.
fn source_for(to: IpAddr, scope: u32) -> Option<IpAddr> {
    // Any port will do.
    let to = RawAddress::new(match to {
        IpAddr::V4(ip) => SocketAddr::V4(SocketAddrV4::new(ip, 9)),
        IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, 9, 0, scope)),
    });
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    let (address, length) = to.parts();
    // SAFETY: plain numbers; places of our own, with their sizes.
    unsafe {
        let socket =
            Fd::own(sys::check(syscall!(__NR_socket, to.family(), kind, libc::IPPROTO_UDP)).ok()?);
        sys::check(syscall!(__NR_connect, socket.number(), address, length)).ok()?;
        let mut own: libc::sockaddr_in6 = core::mem::zeroed();
        let mut length = size_of_val(&own) as libc::socklen_t;
        sys::check(syscall!(
            __NR_getsockname,
            socket.number(),
            &raw mut own,
            &raw mut length
        ))
        .ok()?;
        match c_int_of(own.sin6_family) {
            libc::AF_INET6 => Some(Ipv6Addr::from(own.sin6_addr.s6_addr).into()),
            libc::AF_INET => {
                let own = (&raw const own).cast::<libc::sockaddr_in>().read();
                Some(IpAddr::from(own.sin_addr.s_addr.to_ne_bytes()))
            }
            _ => None,
        }
    }
}

fn c_int_of(family: libc::sa_family_t) -> libc::c_int {
    family.into()
}

/// As the tables of RFC 6724 have IPv4 addresses.
fn as_v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// RFC 6724, 2.1: prefix, its length in bits, precedence, label. The last row fits everything.
const POLICY: [(Ipv6Addr, u32, u8, u8); 9] = [
    (Ipv6Addr::LOCALHOST, 128, 50, 0),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 35, 4),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 96, 1, 3),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, 5, 5),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 30, 2),
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16, 1, 12),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, 1, 11),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, 3, 13),
    (Ipv6Addr::UNSPECIFIED, 0, 40, 1),
];

/// Precedence and label of an address.
fn policy(address: IpAddr) -> (u8, u8) {
    let address = as_v6(address);
    POLICY
        .iter()
        .find(|(prefix, length, ..)| common_bits(*prefix, address) >= *length)
        .map_or((40, 1), |&(_, _, precedence, label)| (precedence, label))
}

/// Leading bits that are the same.
fn common_bits(a: Ipv6Addr, b: Ipv6Addr) -> u32 {
    (a.to_bits() ^ b.to_bits()).leading_zeros()
}

/// RFC 6724, 3.1 and 3.2: how far an address reaches; link-local 2, site-local 5, global 14.
fn reach(address: IpAddr) -> u8 {
    const LINK: u8 = 2;
    const SITE: u8 = 5;
    const GLOBAL: u8 = 14;
    match address {
        IpAddr::V4(v4) if v4.is_loopback() || v4.is_link_local() => LINK,
        IpAddr::V4(_) => GLOBAL,
        IpAddr::V6(v6) => match v6.segments()[0] {
            first if first & 0xff00 == 0xff00 => (first & 0xf) as u8,
            _ if v6.is_loopback() => LINK,
            first if first & 0xffc0 == 0xfe80 => LINK,
            first if first & 0xffc0 == 0xfec0 => SITE,
            _ => GLOBAL,
        },
    }
}

/// What decides an address's place; the smallest comes first. Rules 3, 4 and 7 (deprecated, home and native addresses) would
/// need to know the interfaces, and are left out, as in other C libraries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Rule 1: avoid what cannot be reached.
    unreachable: bool,
    /// Rule 2: prefer matching scope.
    other_reach: bool,
    /// Rule 5: prefer matching label.
    other_label: bool,
    /// Rule 6: prefer higher precedence.
    precedence: Reverse<u8>,
    /// Rule 8: prefer smaller scope.
    reach: u8,
}

fn rank(to: IpAddr, from: Option<IpAddr>) -> Rank {
    let (precedence, label) = policy(to);
    Rank {
        unreachable: from.is_none(),
        other_reach: from.is_none_or(|from| reach(from) != reach(to)),
        other_label: from.is_none_or(|from| policy(from).1 != label),
        precedence: Reverse(precedence),
        reach: reach(to),
    }
}

/// An address with what is known of it.
#[derive(Clone, Copy)]
struct Candidate {
    rank: Rank,
    /// Rule 9, within IPv6: prefer the longest prefix in common with the address that it would be sent from.
    in_common: u32,
    /// Rule 10: else as they stood.
    place: usize,
    item: (IpAddr, u32),
}

fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    let both_v6 = a.item.0.is_ipv6() && b.item.0.is_ipv6();
    a.rank.cmp(&b.rank).then_with(|| {
        if both_v6 {
            b.in_common.cmp(&a.in_common)
        } else {
            Ordering::Equal
        }
        .then(a.place.cmp(&b.place))
    })
}

/// Sorts addresses, the best first; the error is a code of getaddrinfo's.
pub(super) fn sort(list: &mut [(IpAddr, u32)]) -> Result<(), libc::c_int> {
    sort_by_source(list, source_for).ok_or(libc::EAI_MEMORY)
}

fn sort_by_source(
    list: &mut [(IpAddr, u32)],
    source: impl Fn(IpAddr, u32) -> Option<IpAddr>,
) -> Option<()> {
    let candidate = |place: usize, item: (IpAddr, u32)| {
        let from = source(item.0, item.1);
        // No more than the prefix of a network counts (RFC 6724, 2.2).
        let in_common = from.map_or(0, |from| common_bits(as_v6(from), as_v6(item.0)).min(64));
        Candidate {
            rank: rank(item.0, from),
            in_common,
            place,
            item,
        }
    };
    if list.len() < 2 {
        return Some(());
    }
    let mut candidates = List::new();
    for (place, &item) in list.iter().enumerate() {
        candidates.push(candidate(place, item))?;
    }
    candidates.sort_unstable_by(compare);
    for (place, candidate) in list.iter_mut().zip(candidates.iter()) {
        *place = candidate.item;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6724, 10.2: where the machine sends from, and the order that follows.
    #[track_caller]
    fn check(sources: &[(&str, Option<&str>)], wanted: &[&str]) {
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut list: Vec<_> = sources.iter().map(|(to, _)| (parse(to), 0)).collect();
        sort_by_source(&mut list, |to, _| {
            sources
                .iter()
                .find(|(text, _)| parse(text) == to)
                .and_then(|(_, from)| from.map(parse))
        })
        .expect("memory");
        let wanted: Vec<_> = wanted.iter().map(|text| (parse(text), 0)).collect();
        assert_eq!(list, wanted);
    }

    #[test]
    fn examples_of_the_rfc() {
        check(
            &[
                ("198.51.100.121", Some("169.254.13.78")),
                ("2001:db8:1::1", Some("2001:db8:1::2")),
            ],
            &["2001:db8:1::1", "198.51.100.121"],
        );
        check(
            &[
                ("2001:db8:1::1", Some("fe80::1")),
                ("198.51.100.121", Some("198.51.100.117")),
            ],
            &["198.51.100.121", "2001:db8:1::1"],
        );
        check(
            &[
                ("10.1.2.3", Some("10.1.2.4")),
                ("2001:db8:1::1", Some("2001:db8:1::2")),
            ],
            &["2001:db8:1::1", "10.1.2.3"],
        );
        check(
            &[
                ("2001:db8:1::1", Some("2001:db8:1::2")),
                ("fe80::1", Some("fe80::2")),
            ],
            &["fe80::1", "2001:db8:1::1"],
        );
        check(
            &[
                ("2002:c633:6401::1", Some("2002:c633:6401::2")),
                ("2001:db8:1::1", Some("2002:c633:6401::2")),
            ],
            &["2002:c633:6401::1", "2001:db8:1::1"],
        );
        check(
            &[
                ("2001:db8:2::1", None),
                ("198.51.100.1", Some("198.51.100.2")),
            ],
            &["198.51.100.1", "2001:db8:2::1"],
        );
    }

    #[test]
    fn alike_stay_in_order() {
        let from = Some("192.0.2.1");
        check(
            &[("10.0.0.3", from), ("10.0.0.1", from), ("10.0.0.2", from)],
            &["10.0.0.3", "10.0.0.1", "10.0.0.2"],
        );
    }
}
