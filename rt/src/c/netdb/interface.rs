//! The kernel's answers about network interfaces (netdevice(7)).

use libc::c_int;

use crate::c::file::Fd;
use crate::sys;
use linux_raw_sys::general::*;

/// What the kernel's questions about interfaces begin with (netdevice(7), `struct ifreq`).
#[repr(C)]
pub(super) struct InterfaceRequest {
    pub(super) name: [u8; libc::IF_NAMESIZE],
    pub(super) index: c_int,
    pub(super) rest: [u8; 20],
}

const _: () = assert!(size_of::<InterfaceRequest>() == size_of::<libc::ifreq>());

/// Asks the kernel one of its questions.
pub(super) fn ask_kernel(
    request: &mut InterfaceRequest,
    question: libc::Ioctl,
) -> Result<(), c_int> {
    // SAFETY: plain numbers; a structure of the kernel's shape.
    unsafe {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        let socket = Fd::own(sys::check(syscall!(__NR_socket, libc::AF_UNIX, kind, 0))?);
        sys::check(syscall!(
            __NR_ioctl,
            socket.number(),
            question,
            &raw mut *request
        ))
        .map(|_| ())
    }
}

/// The number of the interface with this name.
pub(super) fn interface_index(name: &[u8]) -> Option<u32> {
    let mut request = InterfaceRequest {
        name: [0; libc::IF_NAMESIZE],
        index: 0,
        rest: [0; 20],
    };
    // One byte is the terminator's.
    request
        .name
        .get_mut(..libc::IF_NAMESIZE - 1)?
        .get_mut(..name.len())?
        .copy_from_slice(name);
    ask_kernel(&mut request, libc::SIOCGIFINDEX).ok()?;
    u32::try_from(request.index).ok()
}
