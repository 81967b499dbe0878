//! /etc/resolv.conf (resolv.conf(5)).

use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::{NAME, address};
use crate::c::file::Lines;

/// The port of DNS.
const PORT: u16 = 53;

/// How many servers and domains are used.
const SERVERS: usize = 3;
const DOMAINS: usize = 6;

/// What the file says, or what holds without it.
pub(super) struct Config {
    servers: [SocketAddr; SERVERS],
    server_count: usize,
    domains: [([u8; NAME], usize); DOMAINS],
    domain_count: usize,
    /// A name with as many dots is first tried as it stands.
    pub(super) dots: usize,
    /// Milliseconds to wait for one server.
    pub(super) timeout: i32,
    /// Rounds over all servers.
    pub(super) attempts: u32,
    /// Always by TCP.
    pub(super) use_tcp: bool,
}

impl Config {
    fn new() -> Self {
        Config {
            servers: [SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, PORT)); SERVERS],
            server_count: 0,
            domains: [([0; NAME], 0); DOMAINS],
            domain_count: 0,
            dots: 1,
            timeout: 5000,
            attempts: 2,
            use_tcp: false,
        }
    }

    /// Reads the file; without it a server on this machine is asked.
    pub(super) fn read() -> Self {
        let mut config = Config::new();
        if let Ok(mut file) = Lines::<1024>::open(c"/etc/resolv.conf") {
            while let Some(line) = file.next() {
                config.add_line(line);
            }
        }
        config
    }

    /// Asks these servers, for tests.
    #[cfg(test)]
    pub(super) fn for_servers(servers: &[SocketAddr]) -> Self {
        let mut config = Config::new();
        config.servers[..servers.len()].copy_from_slice(servers);
        config.server_count = servers.len();
        config
    }

    /// The servers to ask, at least one.
    pub(super) fn servers(&self) -> &[SocketAddr] {
        self.servers.get(..self.server_count.max(1)).unwrap_or(&[])
    }

    /// The domains to look in.
    pub(super) fn domains(&self) -> impl Iterator<Item = &[u8]> {
        self.domains
            .iter()
            .take(self.domain_count)
            .filter_map(|(name, length)| name.get(..*length))
    }

    fn add_line(&mut self, line: &[u8]) {
        // Comments stand on lines of their own.
        if matches!(line.first(), Some(b'#' | b';')) {
            return;
        }
        let mut words = line
            .split(|b| b.is_ascii_whitespace())
            .filter(|word| !word.is_empty());
        match words.next() {
            Some(b"nameserver") => self.add_server(words.next().unwrap_or(b"")),
            // The last such line counts.
            Some(b"search") => self.set_domains(words),
            Some(b"domain") => self.set_domains(words.take(1)),
            Some(b"options") => words.for_each(|option| self.set_option(option)),
            _ => {}
        }
    }

    fn add_server(&mut self, text: &[u8]) {
        let server = match address::parse(text) {
            Some((IpAddr::V4(ip), _)) => SocketAddr::V4(SocketAddrV4::new(ip, PORT)),
            Some((IpAddr::V6(ip), scope)) => SocketAddr::V6(SocketAddrV6::new(ip, PORT, 0, scope)),
            None => return,
        };
        if let Some(place) = self.servers.get_mut(self.server_count) {
            *place = server;
            self.server_count += 1;
        }
    }

    fn set_domains<'a>(&mut self, words: impl Iterator<Item = &'a [u8]>) {
        self.domain_count = 0;
        for word in words {
            let word = word.strip_suffix(b".").unwrap_or(word);
            let Some((name, length)) = self.domains.get_mut(self.domain_count) else {
                return;
            };
            if let Some(place) = name.get_mut(..word.len()).filter(|place| !place.is_empty()) {
                place.copy_from_slice(word);
                *length = word.len();
                self.domain_count += 1;
            }
        }
    }

    fn set_option(&mut self, option: &[u8]) {
        let (name, value) = match option.iter().position(|&b| b == b':') {
            Some(at) => (&option[..at], super::number(&option[at + 1..])),
            None => (option, None),
        };
        // The limits are the manual page's.
        match (name, value) {
            (b"ndots", Some(n)) => self.dots = n.min(15) as usize,
            (b"timeout", Some(n)) => self.timeout = n.clamp(1, 30) as i32 * 1000,
            (b"attempts", Some(n)) => self.attempts = n.clamp(1, 5),
            (b"use-vc", None) => self.use_tcp = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lines: &[&str]) -> Config {
        let mut config = Config::new();
        lines
            .iter()
            .for_each(|line| config.add_line(line.as_bytes()));
        config
    }

    #[test]
    fn lines() {
        let long = format!("search {} ok.example", "x".repeat(300));
        let config = config(&[
            "; nameserver 9.9.9.9",
            "nameserver 10.0.0.1",
            "nameserver fe80::1%2 ",
            "nameserver nonsense",
            "domain old.example",
            &long,
            "options ndots:3 timeout:99 attempts:0 use-vc unknown rotate:x",
            "sortlist 1.2.3.4",
        ]);
        let servers: Vec<_> = config.servers().iter().map(|s| s.to_string()).collect();
        assert_eq!(servers, ["10.0.0.1:53", "[fe80::1%2]:53"]);
        assert_eq!(config.domains().collect::<Vec<_>>(), [b"ok.example"]);
        assert_eq!(
            (config.dots, config.timeout, config.attempts, config.use_tcp),
            (3, 30_000, 1, true)
        );
    }

    #[test]
    fn nothing_means_this_machine() {
        let config = config(&[]);
        assert_eq!(
            config.servers(),
            ["127.0.0.1:53".parse().expect("an address")]
        );
        assert_eq!(config.domains().count(), 0);
    }

    #[test]
    fn more_than_there_is_room_for() {
        let config = config(&[
            "nameserver 1.1.1.1",
            "nameserver 1.1.1.2",
            "nameserver 1.1.1.3",
            "nameserver 1.1.1.4",
            "search a b c d e f g h",
        ]);
        assert_eq!(config.servers().len(), 3);
        assert_eq!(config.domains().count(), 6);
    }
}
