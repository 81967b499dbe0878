//! DNS messages (RFC 1035, section 4): a question, and what there is to read in an answer.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::NAME;

const HEADER: usize = 12;
/// A question: header, name on the wire, type, class.
pub(super) const QUESTION: usize = HEADER + NAME + 1 + 4;

const CLASS_IN: u16 = 1;
const TYPE_A: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_AAAA: u16 = 28;

/// Bits of the header's second word.
const IS_RESPONSE: u16 = 0x8000;
const IS_TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const RESPONSE_CODE: u16 = 0x000f;

/// Which addresses a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    V4,
    V6,
}

impl Kind {
    fn code(self) -> u16 {
        match self {
            Kind::V4 => TYPE_A,
            Kind::V6 => TYPE_AAAA,
        }
    }
}

/// A question on the wire.
pub(super) struct Question {
    packet: [u8; QUESTION],
    length: usize,
    kind: Kind,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The name exists; addresses were handed out, if it has any.
    Exists,
    /// There is no such name.
    NoSuchName,
    /// Ask again by TCP.
    Truncated,
    /// The server could or would not say.
    Refused,
}

impl Question {
    /// Asks for the addresses of a name; `None` if it is none (RFC 1035, 2.3.4: labels of 1 to 63 bytes).
    pub(super) fn new(id: u16, name: &[u8], kind: Kind) -> Option<Self> {
        let mut packet = [0; QUESTION];
        let mut out = crate::c::string::Text::new(&mut packet);
        let mut fits = out.push(&id.to_be_bytes())
            && out.push(&RECURSION_DESIRED.to_be_bytes())
            // One question, no answers, no authorities, nothing else.
            && out.push(&[0, 1, 0, 0, 0, 0, 0, 0]);
        for label in name
            .strip_suffix(b".")
            .unwrap_or(name)
            .split(|&b| b == b'.')
        {
            let length = u8::try_from(label.len())
                .ok()
                .filter(|n| (1..=63).contains(n))?;
            fits &= out.push(&[length]) && out.push(label);
        }
        fits &= out.push(&[0])
            && out.push(&kind.code().to_be_bytes())
            && out.push(&CLASS_IN.to_be_bytes());
        let length = out.into_written().len();
        fits.then_some(Question {
            packet,
            length,
            kind,
        })
    }

    /// The message to be sent.
    pub(super) fn packet(&self) -> &[u8] {
        self.packet.get(..self.length).unwrap_or(&[])
    }

    /// Reads a message. `None`: it is no answer to this question. `hand_out` gets each address, and the canonical name.
    pub(super) fn read(
        &self,
        message: &[u8],
        mut hand_out: impl FnMut(Item<'_>),
    ) -> Option<Outcome> {
        let asked = self.packet.get(HEADER..self.length)?;
        let flags = word(message, 2)?;
        let same_question = message
            .get(HEADER..HEADER + asked.len())
            .is_some_and(|theirs| theirs.eq_ignore_ascii_case(asked));
        if message.get(..2)? != self.packet.get(..2)? || flags & IS_RESPONSE == 0 {
            return None;
        }
        // A server that cannot read a question need not repeat it.
        match flags & RESPONSE_CODE {
            0 | 3 if word(message, 4)? != 1 || !same_question => return None,
            0 if flags & IS_TRUNCATED != 0 => return Some(Outcome::Truncated),
            0 => {}
            3 => return Some(Outcome::NoSuchName),
            _ => return Some(Outcome::Refused),
        }
        let mut at = HEADER + asked.len();
        for _ in 0..word(message, 6)? {
            // What was cut off is not there; the addresses before it are good.
            let Some(record) = Record::read(message, at) else {
                break;
            };
            at = record.end;
            self.read_record(message, &record, &mut hand_out);
        }
        Some(Outcome::Exists)
    }

    fn read_record(
        &self,
        message: &[u8],
        record: &Record<'_>,
        hand_out: &mut impl FnMut(Item<'_>),
    ) {
        if record.class != CLASS_IN {
            return;
        }
        match (record.kind, self.kind) {
            (TYPE_A, Kind::V4) => {
                if let Ok(octets) = <[u8; 4]>::try_from(record.data) {
                    hand_out(Item::Address(Ipv4Addr::from(octets).into()));
                }
            }
            (TYPE_AAAA, Kind::V6) => {
                if let Ok(octets) = <[u8; 16]>::try_from(record.data) {
                    hand_out(Item::Address(Ipv6Addr::from(octets).into()));
                }
            }
            (TYPE_CNAME, _) => {
                let mut name = [0; NAME];
                if let Some(length) = expand_name(message, record.data_at, &mut name) {
                    hand_out(Item::Name(&name[..length]));
                }
            }
            _ => {}
        }
    }
}

/// Something in an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Address(IpAddr),
    /// A name that the one before stands for; the last one is the canonical one.
    Name(&'a [u8]),
}

/// A resource record (RFC 1035, 4.1.3).
struct Record<'a> {
    kind: u16,
    class: u16,
    data: &'a [u8],
    data_at: usize,
    end: usize,
}

impl<'a> Record<'a> {
    fn read(message: &'a [u8], at: usize) -> Option<Self> {
        let at = skip_name(message, at)?;
        let data_at = at.checked_add(10)?;
        let end = data_at.checked_add(word(message, at.checked_add(8)?)?.into())?;
        Some(Record {
            kind: word(message, at)?,
            class: word(message, at.checked_add(2)?)?,
            data: message.get(data_at..end)?,
            data_at,
            end,
        })
    }
}

fn word(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*bytes))
}

/// Where a name ends. The top two bits of a label's length say whether it is one or a reference to an earlier place,
/// which ends the name (RFC 1035, 4.1.4).
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return at.checked_add(1),
            n if n < 64 => at = at.checked_add(1 + usize::from(n))?,
            n if n >= 192 => return at.checked_add(2),
            _ => return None,
        }
    }
}

/// Writes a name in text, with dots; says how long it is.
fn expand_name(message: &[u8], mut at: usize, out: &mut [u8; NAME]) -> Option<usize> {
    let mut text = crate::c::string::Text::new(out);
    // Each step but a reference adds to the text; references are limited so that a ring of them ends.
    for _ in 0..NAME {
        match *message.get(at)? {
            0 => return Some(text.into_written().len()),
            n if n < 64 => {
                let label = message.get(at + 1..at + 1 + usize::from(n))?;
                let dot: &[u8] = if text.is_empty() { b"" } else { b"." };
                if !(text.push(dot) && text.push(label)) {
                    return None;
                }
                at += 1 + usize::from(n);
            }
            n if n >= 192 => at = usize::from(word(message, at)? & 0x3fff),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests;
