//! Names of hosts and services: getaddrinfo and its kin.
//!
//! A host's name is looked for, in this order, as a number, in /etc/hosts, and with the DNS servers of
//! /etc/resolv.conf; /etc/nsswitch.conf is not read. `localhost` needs neither file (RFC 6761, 6.3).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::ptr::null_mut;

use libc::{addrinfo, c_char, c_int};

use crate::c::string::bytes;

mod address;
mod dns;
mod files;
mod found;
mod list;
mod message;
mod order;
mod resolv;

pub mod inet;
mod interface;

pub(crate) use found::{Families, Found, NAME, RawAddress};

/// netdb.h: the host has no address of the family that was asked for.
const EAI_ADDRFAMILY: c_int = -9;

/// What was asked for.
struct Hints {
    flags: c_int,
    families: Families,
    kind: c_int,
    protocol: c_int,
}

impl Hints {
    fn new(hints: Option<&addrinfo>) -> Result<Self, c_int> {
        let Some(hints) = hints else {
            // As POSIX has it.
            return Ok(Hints {
                flags: 0,
                families: Families { v4: true, v6: true },
                kind: 0,
                protocol: 0,
            });
        };
        const KNOWN: c_int = libc::AI_PASSIVE
            | libc::AI_CANONNAME
            | libc::AI_NUMERICHOST
            | libc::AI_NUMERICSERV
            | libc::AI_V4MAPPED
            | libc::AI_ALL
            | libc::AI_ADDRCONFIG;
        if hints.ai_flags & !KNOWN != 0 {
            return Err(libc::EAI_BADFLAGS);
        }
        let families = match hints.ai_family {
            libc::AF_UNSPEC => Families { v4: true, v6: true },
            libc::AF_INET => Families {
                v4: true,
                v6: false,
            },
            libc::AF_INET6 => Families {
                v4: false,
                v6: true,
            },
            _ => return Err(libc::EAI_FAMILY),
        };
        Ok(Hints {
            flags: hints.ai_flags,
            families,
            kind: hints.ai_socktype,
            protocol: hints.ai_protocol,
        })
    }

    fn has(&self, flag: c_int) -> bool {
        self.flags & flag != 0
    }
}

/// A kind of socket with its protocol.
#[derive(Clone, Copy)]
struct Transport {
    kind: c_int,
    protocol: c_int,
    /// As /etc/services names it; raw sockets have no services.
    name: &'static str,
}

const TRANSPORTS: [Transport; 3] = [
    Transport {
        kind: libc::SOCK_STREAM,
        protocol: libc::IPPROTO_TCP,
        name: "tcp",
    },
    Transport {
        kind: libc::SOCK_DGRAM,
        protocol: libc::IPPROTO_UDP,
        name: "udp",
    },
    Transport {
        kind: libc::SOCK_RAW,
        protocol: 0,
        name: "",
    },
];

/// The transports that fit the hints, with the service's port on each.
fn endpoints(
    service: Option<&[u8]>,
    hints: &Hints,
) -> Result<[Option<(Transport, u16)>; 3], c_int> {
    let mut found = [None; 3];
    let mut possible = false;
    for (place, transport) in found.iter_mut().zip(TRANSPORTS) {
        let raw = transport.kind == libc::SOCK_RAW;
        if hints.kind != 0 && hints.kind != transport.kind
            || hints.protocol != 0 && !raw && hints.protocol != transport.protocol
        {
            continue;
        }
        possible = true;
        let protocol = if raw {
            hints.protocol
        } else {
            transport.protocol
        };
        let port = match service {
            None => Some(0),
            Some(service) => match number(service) {
                Some(port) => Some(u16::try_from(port).map_err(|_| libc::EAI_SERVICE)?),
                None if hints.has(libc::AI_NUMERICSERV) => return Err(libc::EAI_NONAME),
                None => files::service(service, transport.name),
            },
        };
        *place = port.map(|port| {
            (
                Transport {
                    protocol,
                    ..transport
                },
                port,
            )
        });
    }
    match (possible, found.iter().any(Option::is_some)) {
        (true, true) => Ok(found),
        (true, false) => Err(libc::EAI_SERVICE),
        (false, _) => Err(libc::EAI_SOCKTYPE),
    }
}

/// A decimal number.
fn number(text: &[u8]) -> Option<u32> {
    core::str::from_utf8(text)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
}

/// Finds the addresses of `node`, or those that stand for this machine.
fn addresses(node: Option<&[u8]>, hints: &Hints, found: &mut Found) -> Result<(), c_int> {
    let Some(node) = node else {
        let passive = hints.has(libc::AI_PASSIVE);
        if hints.families.v6 {
            let address = if passive {
                Ipv6Addr::UNSPECIFIED
            } else {
                Ipv6Addr::LOCALHOST
            };
            found.add(address.into(), 0);
        }
        if hints.families.v4 {
            let address = if passive {
                Ipv4Addr::UNSPECIFIED
            } else {
                Ipv4Addr::LOCALHOST
            };
            found.add(address.into(), 0);
        }
        return Ok(());
    };
    // An IPv4 address will do as a mapped one where IPv6 is wanted and mapping is allowed.
    let map = hints.has(libc::AI_V4MAPPED) && !hints.families.v4;
    if let Some((address, scope)) = address::parse(node) {
        return match address {
            address if hints.families.take(&address) => {
                found.add(address, scope);
                Ok(())
            }
            IpAddr::V4(v4) if map => {
                found.add(v4.to_ipv6_mapped().into(), 0);
                Ok(())
            }
            _ => Err(EAI_ADDRFAMILY),
        };
    }
    if hints.has(libc::AI_NUMERICHOST) || !plausible(node) {
        return Err(libc::EAI_NONAME);
    }
    let mut families = hints.families;
    if hints.has(libc::AI_ADDRCONFIG) {
        families.v4 &= order::family_works(IpAddr::V4(Ipv4Addr::LOCALHOST));
        families.v6 &= order::family_works(IpAddr::V6(Ipv6Addr::LOCALHOST));
    }
    let result = by_name(node, families, found);
    if map && (found.is_empty() || hints.has(libc::AI_ALL)) {
        let mut v4 = Found::new();
        if by_name(
            node,
            Families {
                v4: true,
                v6: false,
            },
            &mut v4,
        )
        .is_ok()
        {
            v4.as_slice().iter().for_each(|(address, _)| {
                if let IpAddr::V4(address) = address {
                    found.add(address.to_ipv6_mapped().into(), 0);
                }
            });
            found.set_name(v4.name());
        }
        v4.complete()?;
    }
    found.complete()?;
    match found.is_empty() {
        true => Err(result.err().unwrap_or(libc::EAI_NONAME)),
        false => order::sort(found.as_mut_slice()),
    }
}

/// Whether a name could be one at all: not empty, not too long, no spaces or control characters.
fn plausible(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= NAME
        && name.iter().all(|b| b.is_ascii_graphic() || !b.is_ascii())
}

fn by_name(name: &[u8], families: Families, found: &mut Found) -> Result<(), c_int> {
    files::host(name, families, found);
    if !found.is_empty() {
        return Ok(());
    }
    let bare = name.strip_suffix(b".").unwrap_or(name);
    let last_label = bare.rsplit(|&b| b == b'.').next().unwrap_or(bare);
    if last_label.eq_ignore_ascii_case(b"localhost") {
        if families.v6 {
            found.add(Ipv6Addr::LOCALHOST.into(), 0);
        }
        if families.v4 {
            found.add(Ipv4Addr::LOCALHOST.into(), 0);
        }
        found.set_name(bare);
        return Ok(());
    }
    dns::look_up(name, families, found)
}

/// One result with the memory that it points to; it begins with what the caller sees, so that freeing that frees all.
#[repr(C)]
struct Entry {
    info: addrinfo,
    address: RawAddress,
    name: [u8; NAME + 1],
}

/// Makes the linked list of results.
fn answer(
    hints: &Hints,
    node: Option<&[u8]>,
    found: &Found,
    endpoints: &[Option<(Transport, u16)>; 3],
) -> Result<*mut addrinfo, c_int> {
    let mut first = null_mut();
    let mut link: *mut *mut addrinfo = &mut first;
    for &(ip, scope) in found.as_slice() {
        for &(transport, port) in endpoints.iter().flatten() {
            // SAFETY: plain allocation; all bits zero are a value of the parts that are not written.
            let entry: *mut Entry = unsafe { libc::calloc(1, size_of::<Entry>()).cast() };
            if entry.is_null() {
                // SAFETY: the list so far, well-formed.
                unsafe { freeaddrinfo(first) };
                return Err(libc::EAI_MEMORY);
            }
            let address = match ip {
                IpAddr::V4(ip) => SocketAddr::V4(SocketAddrV4::new(ip, port)),
                IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope)),
            };
            // SAFETY: fresh memory; `link` is the end of the list.
            unsafe {
                (&raw mut (*entry).address).write(RawAddress::new(address));
                let (at, length) = (*entry).address.parts();
                let info = &mut (*entry).info;
                info.ai_flags = hints.flags;
                info.ai_family = (*entry).address.family();
                info.ai_socktype = transport.kind;
                info.ai_protocol = transport.protocol;
                info.ai_addrlen = length;
                info.ai_addr = at.cast_mut();
                if hints.has(libc::AI_CANONNAME) && first.is_null() {
                    let name = if found.name().is_empty() {
                        node.unwrap_or(b"")
                    } else {
                        found.name()
                    };
                    crate::c::string::copy_cstr(name, (&raw mut (*entry).name).cast(), NAME + 1);
                    info.ai_canonname = (&raw mut (*entry).name).cast();
                }
                *link = info;
                link = &raw mut (*entry).info.ai_next;
            }
        }
    }
    Ok(first)
}

c_fn! {
    /// getaddrinfo(3)
    fn getaddrinfo(node: *const c_char, service: *const c_char, hints: *const addrinfo, to: *mut *mut addrinfo) -> c_int {
        // SAFETY: the caller's: null or C strings, null or hints.
        let (node, service, hints) = unsafe {
            (
                (!node.is_null()).then(|| bytes(node)),
                (!service.is_null()).then(|| bytes(service)),
                Hints::new(hints.as_ref()),
            )
        };
        let result = hints.and_then(|hints| {
            if node.is_none() && service.is_none() {
                return Err(libc::EAI_NONAME);
            }
            if hints.has(libc::AI_CANONNAME) && node.is_none() {
                return Err(libc::EAI_BADFLAGS);
            }
            let endpoints = endpoints(service, &hints)?;
            let mut found = Found::new();
            addresses(node, &hints, &mut found)?;
            answer(&hints, node, &found, &endpoints)
        });
        match result {
            Ok(list) => {
                *to = list;
                0
            }
            Err(error) => error,
        }
    }

    /// freeaddrinfo(3)
    fn freeaddrinfo(list: *mut addrinfo) {
        let mut list = list;
        while !list.is_null() {
            // SAFETY: an entry of `getaddrinfo`'s, which begins with what the caller sees.
            unsafe {
                let next = (*list).ai_next;
                libc::free(list.cast());
                list = next;
            }
        }
    }

    /// gai_strerror(3)
    fn gai_strerror(error: c_int) -> *const c_char {
        let text = match error {
            0 => c"Success",
            libc::EAI_BADFLAGS => c"Bad value for ai_flags",
            libc::EAI_NONAME => c"Name or service not known",
            libc::EAI_AGAIN => c"Temporary failure in name resolution",
            libc::EAI_FAIL => c"Non-recoverable failure in name resolution",
            libc::EAI_NODATA => c"No address associated with hostname",
            libc::EAI_FAMILY => c"ai_family not supported",
            libc::EAI_SOCKTYPE => c"ai_socktype not supported",
            libc::EAI_SERVICE => c"Servname not supported for ai_socktype",
            EAI_ADDRFAMILY => c"Address family for hostname not supported",
            libc::EAI_MEMORY => c"Memory allocation failure",
            libc::EAI_SYSTEM => c"System error",
            libc::EAI_OVERFLOW => c"Argument buffer overflow",
            _ => c"Unknown error",
        };
        text.as_ptr()
    }

    /// res_init(3): resolv.conf is read for each look-up, so there is nothing to read again.
    undeclared fn __res_init() -> c_int {
        0
    }
}

#[cfg(test)]
mod tests;
