//! Sockets.

use libc::{
    c_int, c_uint, c_void, mmsghdr, msghdr, size_t, sockaddr, socklen_t, ssize_t, timespec,
};

syscalls! {
    /// socket(2)
    socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int = __NR_socket(domain, kind, protocol);
    /// socketpair(2)
    socketpair(domain: c_int, kind: c_int, protocol: c_int, to: *mut c_int) -> c_int = __NR_socketpair(domain, kind, protocol, to);
    /// bind(2)
    bind(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int = __NR_bind(fd, address, length);
    /// listen(2)
    listen(fd: c_int, backlog: c_int) -> c_int = __NR_listen(fd, backlog);
    /// accept(2)
    accept(fd: c_int, address: *mut sockaddr, length: *mut socklen_t) -> c_int = again __NR_accept4(fd, address, length, 0);
    /// accept4(2)
    accept4(fd: c_int, address: *mut sockaddr, length: *mut socklen_t, flags: c_int) -> c_int = again __NR_accept4(fd, address, length, flags);
    /// connect(2)
    connect(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int = waiting __NR_connect(fd, address, length);
    /// shutdown(2)
    shutdown(fd: c_int, how: c_int) -> c_int = __NR_shutdown(fd, how);
    /// getsockname(2)
    getsockname(fd: c_int, address: *mut sockaddr, length: *mut socklen_t) -> c_int = __NR_getsockname(fd, address, length);
    /// getpeername(2)
    getpeername(fd: c_int, address: *mut sockaddr, length: *mut socklen_t) -> c_int = __NR_getpeername(fd, address, length);
    /// getsockopt(2)
    getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, length: *mut socklen_t) -> c_int
        = __NR_getsockopt(fd, level, name, value, length);
    /// setsockopt(2)
    setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: socklen_t) -> c_int
        = __NR_setsockopt(fd, level, name, value, length);
    /// send(2)
    send(fd: c_int, buf: *const c_void, length: size_t, flags: c_int) -> ssize_t = again __NR_sendto(fd, buf, length, flags, 0usize, 0usize);
    /// sendto(2)
    sendto(fd: c_int, buf: *const c_void, length: size_t, flags: c_int, to: *const sockaddr, to_length: socklen_t) -> ssize_t
        = again __NR_sendto(fd, buf, length, flags, to, to_length);
    /// sendmsg(2)
    sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t = again __NR_sendmsg(fd, message, flags);
    /// sendmmsg(2)
    sendmmsg(fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int) -> c_int = again __NR_sendmmsg(fd, messages, count, flags);
    /// recv(2)
    recv(fd: c_int, buf: *mut c_void, length: size_t, flags: c_int) -> ssize_t = again __NR_recvfrom(fd, buf, length, flags, 0usize, 0usize);
    /// recvfrom(2)
    recvfrom(fd: c_int, buf: *mut c_void, length: size_t, flags: c_int, from: *mut sockaddr, from_length: *mut socklen_t) -> ssize_t
        = again __NR_recvfrom(fd, buf, length, flags, from, from_length);
    /// recvmsg(2)
    recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t = again __NR_recvmsg(fd, message, flags);
    /// recvmmsg(2)
    recvmmsg(fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int, limit: *mut timespec) -> c_int
        = again __NR_recvmmsg(fd, messages, count, flags, limit);
}
