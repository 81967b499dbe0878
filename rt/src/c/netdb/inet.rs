//! arpa/inet.h and net/if.h: addresses in text, and the numbers of network interfaces.

use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ptr::null_mut;

use libc::{c_char, c_int, c_uint, c_void, in_addr, in_addr_t, sockaddr, socklen_t};

use super::address;
use super::interface::{InterfaceRequest, ask_kernel, interface_index};
use crate::c::define::fail;
use crate::c::string::{Text, bytes, copy_cstr};

/// netinet/in.h: the longest address in text, with its terminator.
const INET6_ADDRSTRLEN: usize = 46;

/// An address in text; the scope of a link-local one is not part of it.
fn write_address(address: IpAddr, to: *mut c_char, size: usize) -> bool {
    let mut buf = [0; INET6_ADDRSTRLEN];
    let mut text = Text::new(&mut buf);
    // Every address fits.
    let _ = write!(text, "{address}");
    let text = text.into_written();
    // SAFETY: `size` bytes, as the caller says.
    text.len() < size && unsafe { copy_cstr(text, to, size) }
}

c_fn! {
    /// inet_pton(3)
    undeclared fn inet_pton(family: c_int, text: *const c_char, to: *mut c_void) -> c_int {
        // SAFETY: the caller's C string, and a place for an address of this family.
        unsafe {
            let text = core::str::from_utf8(bytes(text)).unwrap_or("");
            match family {
                libc::AF_INET => text.parse::<Ipv4Addr>().map_or(0, |address| {
                    to.cast::<[u8; 4]>().write(address.octets());
                    1
                }),
                libc::AF_INET6 => text.parse::<Ipv6Addr>().map_or(0, |address| {
                    to.cast::<[u8; 16]>().write(address.octets());
                    1
                }),
                _ => fail(libc::EAFNOSUPPORT),
            }
        }
    }

    /// inet_ntop(3)
    undeclared fn inet_ntop(family: c_int, address: *const c_void, to: *mut c_char, size: socklen_t) -> *const c_char {
        // SAFETY: the caller's address of this family.
        let address: IpAddr = unsafe {
            match family {
                libc::AF_INET => address.cast::<[u8; 4]>().read().into(),
                libc::AF_INET6 => address.cast::<[u8; 16]>().read().into(),
                _ => {
                    fail(libc::EAFNOSUPPORT);
                    return null_mut();
                }
            }
        };
        match write_address(address, to, size as usize) {
            true => to,
            false => {
                fail(libc::ENOSPC);
                null_mut()
            }
        }
    }

    /// inet_aton(3)
    undeclared fn inet_aton(text: *const c_char, to: *mut in_addr) -> c_int {
        // SAFETY: the caller's C string and place.
        unsafe {
            address::parse_v4(bytes(text)).map_or(0, |address| {
                (*to).s_addr = in_addr_t::from_ne_bytes(address.octets());
                1
            })
        }
    }

    /// inet_addr(3)
    undeclared fn inet_addr(text: *const c_char) -> in_addr_t {
        let address = address::parse_v4(bytes(text));
        address.map_or(libc::INADDR_NONE, |address| in_addr_t::from_ne_bytes(address.octets()))
    }

    /// htonl(3)
    undeclared fn htonl(n: u32) -> u32 {
        n.to_be()
    }

    /// htonl(3)
    undeclared fn ntohl(n: u32) -> u32 {
        n.to_be()
    }

    /// htons(3)
    undeclared fn htons(n: u16) -> u16 {
        n.to_be()
    }

    /// htons(3)
    undeclared fn ntohs(n: u16) -> u16 {
        n.to_be()
    }

    /// if_nametoindex(3)
    fn if_nametoindex(name: *const c_char) -> c_uint {
        interface_index(bytes(name)).unwrap_or_else(|| {
            fail(libc::ENODEV);
            0
        })
    }

    /// if_indextoname(3)
    fn if_indextoname(index: c_uint, to: *mut c_char) -> *mut c_char {
        let mut request = InterfaceRequest { name: [0; libc::IF_NAMESIZE], index: index as c_int, rest: [0; 20] };
        match ask_kernel(&mut request, libc::SIOCGIFNAME) {
            Ok(()) => {
                // SAFETY: the caller's place of IF_NAMESIZE bytes.
                unsafe { core::ptr::copy_nonoverlapping(request.name.as_ptr().cast(), to, libc::IF_NAMESIZE) };
                to
            }
            // netdevice(7) says ENODEV, POSIX ENXIO.
            Err(_) => {
                fail(libc::ENXIO);
                null_mut()
            }
        }
    }

    /// getnameinfo(3), in numbers alone: names of addresses are not looked for, so that a call that insists on one
    /// (NI_NAMEREQD) finds none.
    fn getnameinfo(
        address: *const sockaddr,
        length: socklen_t,
        host: *mut c_char,
        host_size: socklen_t,
        service: *mut c_char,
        service_size: socklen_t,
        flags: c_int,
    ) -> c_int {
        // SAFETY: the caller's address of `length` bytes.
        let (address, port) = match unsafe { read_address(address, length) } {
            Ok(parts) => parts,
            Err(error) => return error,
        };
        if !host.is_null() && host_size > 0 {
            if flags & libc::NI_NAMEREQD != 0 {
                return libc::EAI_NONAME;
            }
            if !write_address(address, host, host_size as usize) {
                return libc::EAI_OVERFLOW;
            }
        }
        if !service.is_null() && service_size > 0 {
            let mut buf = [0; 8];
            let mut text = Text::new(&mut buf);
            // Every port fits.
            let _ = write!(text, "{port}");
            // SAFETY: the caller's place of that size.
            if !unsafe { copy_cstr(text.into_written(), service, service_size as usize) } {
                return libc::EAI_OVERFLOW;
            }
        }
        0
    }
}

/// Address and port.
///
/// # Safety
/// `address` must have `length` bytes.
unsafe fn read_address(
    address: *const sockaddr,
    length: socklen_t,
) -> Result<(IpAddr, u16), c_int> {
    let length = length as usize;
    if length < size_of::<libc::sa_family_t>() {
        return Err(libc::EAI_FAMILY);
    }
    // SAFETY: the caller's; the length was looked at.
    unsafe {
        match c_int::from((*address).sa_family) {
            libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
                let v4 = address.cast::<libc::sockaddr_in>().read_unaligned();
                Ok((
                    v4.sin_addr.s_addr.to_ne_bytes().into(),
                    u16::from_be(v4.sin_port),
                ))
            }
            libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
                let v6 = address.cast::<libc::sockaddr_in6>().read_unaligned();
                Ok((v6.sin6_addr.s6_addr.into(), u16::from_be(v6.sin6_port)))
            }
            _ => Err(libc::EAI_FAMILY),
        }
    }
}
