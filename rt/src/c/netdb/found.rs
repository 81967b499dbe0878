//! Addresses, as they are found and as the kernel wants them.

use core::net::{IpAddr, SocketAddr};

use libc::{c_int, sockaddr, sockaddr_in, sockaddr_in6, socklen_t};

use super::list::List;

/// Where to: the kernel's two shapes of an internet address.
pub(crate) enum RawAddress {
    /// IPv4
    V4(sockaddr_in),
    /// IPv6
    V6(sockaddr_in6),
}

impl RawAddress {
    /// The kernel's shape of `address`.
    pub(crate) fn new(address: SocketAddr) -> Self {
        // SAFETY: all bits zero are a value of both.
        unsafe {
            match address {
                SocketAddr::V4(v4) => {
                    let mut raw: sockaddr_in = core::mem::zeroed();
                    raw.sin_family = libc::AF_INET as _;
                    raw.sin_port = v4.port().to_be();
                    raw.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
                    RawAddress::V4(raw)
                }
                SocketAddr::V6(v6) => {
                    let mut raw: sockaddr_in6 = core::mem::zeroed();
                    raw.sin6_family = libc::AF_INET6 as _;
                    raw.sin6_port = v6.port().to_be();
                    raw.sin6_addr.s6_addr = v6.ip().octets();
                    raw.sin6_scope_id = v6.scope_id();
                    RawAddress::V6(raw)
                }
            }
        }
    }

    /// Where it lies, and its length.
    pub(crate) fn parts(&self) -> (*const sockaddr, socklen_t) {
        match self {
            RawAddress::V4(raw) => (
                core::ptr::from_ref(raw).cast(),
                size_of::<sockaddr_in>() as socklen_t,
            ),
            RawAddress::V6(raw) => (
                core::ptr::from_ref(raw).cast(),
                size_of::<sockaddr_in6>() as socklen_t,
            ),
        }
    }

    /// AF_INET or AF_INET6.
    pub(crate) fn family(&self) -> c_int {
        match self {
            RawAddress::V4(_) => libc::AF_INET,
            RawAddress::V6(_) => libc::AF_INET6,
        }
    }
}

/// Which addresses are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Families {
    /// IPv4
    pub(crate) v4: bool,
    /// IPv6
    pub(crate) v6: bool,
}

impl Families {
    /// Whether an address is wanted.
    pub(super) fn take(self, address: &IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => self.v4,
            IpAddr::V6(_) => self.v6,
        }
    }
}

/// The longest name of a host in text, with a last dot (RFC 1035, 2.3.4).
pub(crate) const NAME: usize = 254;

/// Addresses of a host, and its canonical name.
pub(crate) struct Found {
    list: List<(IpAddr, u32)>,
    /// There was no memory for one of them.
    incomplete: bool,
    name: [u8; NAME],
    name_length: usize,
}

impl Found {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Found {
            list: List::new(),
            incomplete: false,
            name: [0; NAME],
            name_length: 0,
        }
    }

    /// Adds an address, with the scope of a link-local one, unless it is there.
    pub(crate) fn add(&mut self, address: IpAddr, scope: u32) {
        if !self.list.contains(&(address, scope)) {
            self.incomplete |= self.list.push((address, scope)).is_none();
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// That every address that was added is there; the error is a code of getaddrinfo's.
    pub(super) fn complete(&self) -> Result<(), c_int> {
        match self.incomplete {
            true => Err(libc::EAI_MEMORY),
            false => Ok(()),
        }
    }

    /// Sets the canonical name, unless there is one.
    pub(crate) fn set_name(&mut self, name: &[u8]) {
        if self.name_length == 0 {
            self.replace_name(name);
        }
    }

    /// Sets the canonical name; one that is too long is left out.
    pub(crate) fn replace_name(&mut self, name: &[u8]) {
        if let Some(place) = self.name.get_mut(..name.len()) {
            place.copy_from_slice(name);
            self.name_length = name.len();
        }
    }

    /// The addresses.
    pub(super) fn as_slice(&self) -> &[(IpAddr, u32)] {
        &self.list
    }

    /// The addresses.
    pub(super) fn as_mut_slice(&mut self) -> &mut [(IpAddr, u32)] {
        &mut self.list
    }

    /// The canonical name; empty if none was set.
    pub(super) fn name(&self) -> &[u8] {
        self.name.get(..self.name_length).unwrap_or(&[])
    }
}
