//! Asking the DNS servers: by UDP, and by TCP where an answer did not fit.

use core::net::SocketAddr;

use libc::{c_int, pollfd, timespec};

use super::list::List;
use super::message::{Item, Kind, Outcome, Question};
use super::resolv::Config;
use super::{Families, Found, NAME, RawAddress};
use crate::c::file::Fd;
use crate::c::string::Text;
use crate::c::time::monotonic_ms;
use crate::sys;
use linux_raw_sys::general::*;

/// The largest answer by UDP to a question without extensions (RFC 1035, 4.2.1).
const UDP_ANSWER: usize = 512;

/// Looks a name up in the domains of resolv.conf; the error is a code of getaddrinfo's.
pub(super) fn look_up(name: &[u8], families: Families, found: &mut Found) -> Result<(), c_int> {
    let config = Config::read();
    let absolute = name.ends_with(b".");
    let dots = name.iter().filter(|&&b| b == b'.').count();
    let as_it_stands_first = absolute || dots >= config.dots;
    let mut worst = libc::EAI_NONAME;
    let mut attempt = |full: &[u8], found: &mut Found| -> bool {
        match resolve(&config, full, families, found) {
            Ok(()) => true,
            Err(error) => {
                // That a name exists without addresses, or may exist, says more than that another one does not.
                if error != libc::EAI_NONAME {
                    worst = error;
                }
                false
            }
        }
    };
    if as_it_stands_first && attempt(name, found) {
        return Ok(());
    }
    if !absolute {
        for domain in config.domains() {
            let mut full = [0; NAME];
            let mut text = Text::new(&mut full);
            if text.push(name)
                && text.push(b".")
                && text.push(domain)
                && attempt(text.into_written(), found)
            {
                return Ok(());
            }
        }
    }
    if !as_it_stands_first && attempt(name, found) {
        return Ok(());
    }
    Err(worst)
}

/// A question under way.
struct Pending {
    question: Question,
    outcome: Option<Outcome>,
    /// The server that is asked now gave no useful answer.
    passed: bool,
}

/// Asks for the addresses of exactly this name.
fn resolve(
    config: &Config,
    name: &[u8],
    families: Families,
    found: &mut Found,
) -> Result<(), c_int> {
    let kinds = [(families.v4, Kind::V4), (families.v6, Kind::V6)];
    let mut pending: [Option<Pending>; 2] = [None, None];
    for (place, (_, kind)) in pending
        .iter_mut()
        .zip(kinds)
        .filter(|(_, (wanted, _))| *wanted)
    {
        let question = Question::new(random_id()?, name, kind).ok_or(libc::EAI_NONAME)?;
        *place = Some(Pending {
            question,
            outcome: None,
            passed: false,
        });
    }
    for _ in 0..config.attempts {
        for server in config.servers() {
            ask(*server, config, &mut pending, found);
            if pending.iter().flatten().all(|p| p.outcome.is_some()) {
                return verdict(name, &pending, found);
            }
        }
    }
    verdict(name, &pending, found)
}

/// What all the answers come to.
fn verdict(name: &[u8], pending: &[Option<Pending>; 2], found: &mut Found) -> Result<(), c_int> {
    let outcomes = || pending.iter().flatten().map(|p| p.outcome.as_ref());
    if !found.is_empty() {
        // Behind the aliases, if there were any: the first name that was set stays.
        found.set_name(name.strip_suffix(b".").unwrap_or(name));
        return Ok(());
    }
    match () {
        _ if outcomes().any(|o| o.is_none() || o == Some(&Outcome::Refused)) => {
            Err(libc::EAI_AGAIN)
        }
        _ if outcomes().any(|o| o == Some(&Outcome::Exists)) => Err(libc::EAI_NODATA),
        _ => Err(libc::EAI_NONAME),
    }
}

/// An id that nobody can guess.
fn random_id() -> Result<u16, c_int> {
    let mut id = [0; 2];
    // SAFETY: the buffer's own size.
    match sys::check(unsafe { syscall!(__NR_getrandom, id.as_mut_ptr(), id.len(), 0) }) {
        Ok(2) => Ok(u16::from_ne_bytes(id)),
        _ => Err(libc::EAI_AGAIN),
    }
}

/// Asks one server everything that is still open.
fn ask(server: SocketAddr, config: &Config, pending: &mut [Option<Pending>; 2], found: &mut Found) {
    let deadline = monotonic_ms().saturating_add(config.timeout.into());
    pending.iter_mut().flatten().for_each(|p| p.passed = false);
    if !config.use_tcp {
        // A server that cannot be reached is passed over.
        let _ = ask_by_udp(server, deadline, pending, found);
    }
    for p in pending.iter_mut().flatten() {
        let wants_tcp =
            p.outcome == Some(Outcome::Truncated) || config.use_tcp && p.outcome.is_none();
        if wants_tcp {
            let by_tcp = ask_by_tcp(
                server,
                monotonic_ms().saturating_add(config.timeout.into()),
                &p.question,
                found,
            );
            p.outcome = by_tcp
                .ok()
                .filter(|o| !matches!(o, Outcome::Refused | Outcome::Truncated));
        }
    }
}

fn ask_by_udp(
    server: SocketAddr,
    deadline: i64,
    pending: &mut [Option<Pending>; 2],
    found: &mut Found,
) -> Result<(), c_int> {
    let socket = connect(server, libc::SOCK_DGRAM)?;
    for p in pending.iter().flatten().filter(|p| p.outcome.is_none()) {
        let packet = p.question.packet();
        // SAFETY: the slice's own size.
        sys::check(unsafe {
            syscall!(
                __NR_sendto,
                socket.number(),
                packet.as_ptr(),
                packet.len(),
                libc::MSG_NOSIGNAL,
                0usize,
                0usize
            )
        })?;
    }
    while pending
        .iter()
        .flatten()
        .any(|p| p.outcome.is_none() && !p.passed)
    {
        wait(&socket, libc::POLLIN, deadline)?;
        let mut message = [0; UDP_ANSWER];
        let n = match socket.read(&mut message) {
            Err(libc::EAGAIN) => continue,
            // ECONNREFUSED: no server there.
            result => result?,
        };
        for p in pending
            .iter_mut()
            .flatten()
            .filter(|p| p.outcome.is_none() && !p.passed)
        {
            match p.question.read(&message[..n], |item| take(found, item)) {
                None => continue,
                Some(Outcome::Refused) => p.passed = true,
                outcome => p.outcome = outcome,
            }
            break;
        }
    }
    Ok(())
}

/// One question on a connection of its own: messages are preceded by their length (RFC 1035, 4.2.2), which may be too much for the stack.
fn ask_by_tcp(
    server: SocketAddr,
    deadline: i64,
    question: &Question,
    found: &mut Found,
) -> Result<Outcome, c_int> {
    let socket = connect(server, libc::SOCK_STREAM)?;
    wait(&socket, libc::POLLOUT, deadline)?;
    let mut out = [0; super::message::QUESTION + 2];
    let mut text = Text::new(&mut out);
    let packet = question.packet();
    let length = u16::try_from(packet.len()).map_err(|_| libc::EMSGSIZE)?;
    if !(text.push(&length.to_be_bytes()) && text.push(packet)) {
        return Err(libc::EMSGSIZE);
    }
    let out = text.into_written();
    // A connection that failed says so here. A fresh one takes this much at once.
    // SAFETY: the slice's own size.
    let sent = sys::check(unsafe {
        syscall!(
            __NR_sendto,
            socket.number(),
            out.as_ptr(),
            out.len(),
            libc::MSG_NOSIGNAL,
            0usize,
            0usize
        )
    })?;
    if sent != out.len() {
        return Err(libc::EIO);
    }
    let mut length = [0; 2];
    fill(&socket, &mut length, deadline)?;
    let mut message = List::new();
    for _ in 0..u16::from_be_bytes(length) {
        message.push(0).ok_or(libc::ENOMEM)?;
    }
    fill(&socket, &mut message, deadline)?;
    question
        .read(&message, |item| take(found, item))
        .ok_or(libc::EBADMSG)
}

fn take(found: &mut Found, item: Item<'_>) {
    match item {
        Item::Address(address) => found.add(address, 0),
        Item::Name(name) => found.replace_name(name),
    }
}

/// A socket that never blocks, connected or about to be: only the server's own answers come in.
fn connect(server: SocketAddr, kind: c_int) -> Result<Fd, c_int> {
    let server = RawAddress::new(server);
    let kind = kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let (address, length) = server.parts();
    // SAFETY: plain numbers; an address with its size.
    unsafe {
        let socket = Fd::own(sys::check(syscall!(__NR_socket, server.family(), kind, 0))?);
        match sys::check(syscall!(__NR_connect, socket.number(), address, length)) {
            Ok(_) | Err(libc::EINPROGRESS) => Ok(socket),
            Err(errno) => Err(errno),
        }
    }
}

/// Reads exactly as much as `buf` holds.
fn fill(socket: &Fd, mut buf: &mut [u8], deadline: i64) -> Result<(), c_int> {
    while !buf.is_empty() {
        wait(socket, libc::POLLIN, deadline)?;
        match socket.read(buf) {
            Ok(0) => return Err(libc::ECONNRESET),
            Ok(n) => buf = buf.get_mut(n..).unwrap_or(&mut []),
            Err(libc::EAGAIN) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Waits until the socket is ready; an error after the deadline.
fn wait(socket: &Fd, events: i16, deadline: i64) -> Result<(), c_int> {
    loop {
        let left = deadline.saturating_sub(monotonic_ms());
        if left <= 0 {
            return Err(libc::ETIMEDOUT);
        }
        let mut fd = pollfd {
            fd: socket.number() as c_int,
            events,
            revents: 0,
        };
        let limit = timespec {
            tv_sec: left / 1000,
            tv_nsec: left % 1000 * 1_000_000,
        };
        crate::c::define::about_to_wait();
        // SAFETY: one entry and a limit of our own.
        match sys::check(unsafe {
            syscall!(__NR_ppoll, &raw mut fd, 1, &raw const limit, 0usize, 0usize)
        }) {
            Ok(0) | Err(libc::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests;
