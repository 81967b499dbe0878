//! What a format asks for: its directives, and the arguments that they take.

use libc::c_int;

use super::{Length, Spec};
use crate::arch::va_list::VaList;

/// Which argument a directive takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Next,
    /// `1$`: from 1.
    Number(usize),
}

/// A width or a precision.
#[derive(Clone, Copy)]
enum Count {
    Given(c_int),
    Argument(Which),
}

/// How an argument is passed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Double,
    /// A `long double`, which lies in memory, 16 bytes at a multiple of 16 (psABI 3.2.3).
    LongDouble,
}

/// A directive: everything between `%` and the next text.
pub(super) struct Directive {
    spec: Spec,
    width: Option<Count>,
    precision: Option<Count>,
    value: Which,
    pub(super) conversion: u8,
}

impl Directive {
    /// The class of the argument that is converted; none for `%%` and `%m`.
    fn class(&self) -> Option<Class> {
        match self.conversion {
            b'%' | b'm' => None,
            b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => Some(match self.spec.length {
                Length::LongDouble => Class::LongDouble,
                _ => Class::Double,
            }),
            _ => Some(Class::Word),
        }
    }

    /// The arguments that it takes, in order.
    fn arguments(&self) -> impl Iterator<Item = (Which, Class)> {
        let count = |count: Option<Count>| match count {
            Some(Count::Argument(which)) => Some((which, Class::Word)),
            _ => None,
        };
        let value = self.class().map(|class| (self.value, class));
        [count(self.width), count(self.precision), value]
            .into_iter()
            .flatten()
    }
}

/// Reads a format, directive by directive.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(format: &'a [u8]) -> Self {
        Reader { rest: format }
    }

    /// The text up to the next directive, and that; none behind the last.
    pub(super) fn next(&mut self) -> Result<(&'a [u8], Option<Directive>), c_int> {
        let Some(at) = self.rest.iter().position(|&b| b == b'%') else {
            return Ok((core::mem::take(&mut self.rest), None));
        };
        let (text, rest) = self.rest.split_at(at);
        self.rest = &rest[1..];
        self.directive().map(|directive| (text, Some(directive)))
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.rest.first() == Some(&wanted);
        if found {
            self.byte();
        }
        found
    }

    fn number(&mut self) -> Option<c_int> {
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        (digits > 0).then(|| {
            number.iter().fold(0 as c_int, |n, b| {
                n.saturating_mul(10).saturating_add((b - b'0').into())
            })
        })
    }

    /// The number of an argument, `1$`.
    fn which(&mut self) -> Result<Which, c_int> {
        let before = *self;
        match (self.number(), self.take(b'$')) {
            (Some(n @ 1..), true) => Ok(Which::Number(n as usize)),
            (_, true) => Err(libc::EINVAL),
            _ => {
                *self = before;
                Ok(Which::Next)
            }
        }
    }

    /// A number, or an argument in its place.
    fn count(&mut self) -> Result<Option<Count>, c_int> {
        Ok(match self.take(b'*') {
            true => Some(Count::Argument(self.which()?)),
            false => self.number().map(Count::Given),
        })
    }

    fn directive(&mut self) -> Result<Directive, c_int> {
        let value = self.which()?;
        let mut spec = Spec::default();
        loop {
            match self.rest.first() {
                Some(b'-') => spec.left = true,
                Some(b'+') => spec.plus = true,
                Some(b' ') => spec.space = true,
                Some(b'#') => spec.alternate = true,
                Some(b'0') => spec.zero = true,
                // Groups of digits: the C locale has none.
                Some(b'\'') => {}
                _ => break,
            }
            self.byte();
        }
        let width = self.count()?;
        let precision = match self.take(b'.') {
            true => self.count()?.or(Some(Count::Given(0))),
            false => None,
        };
        spec.length = self.length();
        Ok(Directive {
            spec,
            width,
            precision,
            value,
            conversion: self.byte().ok_or(libc::EINVAL)?,
        })
    }

    fn length(&mut self) -> Length {
        match self.rest.first() {
            Some(b'h') => {
                self.byte();
                if self.take(b'h') {
                    Length::Char
                } else {
                    Length::Short
                }
            }
            Some(b'l') => {
                self.byte();
                self.take(b'l');
                Length::Long
            }
            Some(b'q' | b'j' | b'z' | b'Z' | b't') => {
                self.byte();
                Length::Long
            }
            Some(b'L') => {
                self.byte();
                Length::LongDouble
            }
            _ => Length::Int,
        }
    }
}

/// The arguments of a call.
pub(super) struct Args<'a> {
    list: &'a mut VaList,
    format: &'a [u8],
    /// The list as it was, if directives number their arguments. Those that do not number theirs cannot stand beside them.
    numbered: Option<VaList>,
}

impl<'a> Args<'a> {
    /// The arguments that a format asks for.
    pub(super) fn new(list: &'a mut VaList, format: &'a [u8]) -> Result<Self, c_int> {
        let (mut numbered, mut in_order) = (false, false);
        // Few formats number anything.
        let suspect = memchr::memchr(b'$', format).is_some();
        let mut reader = Reader::new(if suspect { format } else { b"" });
        while let (_, Some(directive)) = reader.next()? {
            for (which, _) in directive.arguments() {
                match which {
                    Which::Number(_) => numbered = true,
                    Which::Next => in_order = true,
                }
            }
        }
        match numbered && in_order {
            true => Err(libc::EINVAL),
            false => Ok(Args {
                numbered: numbered.then(|| list.clone()),
                list,
                format,
            }),
        }
    }

    /// How the argument of a number is passed; what no directive mentions is an `int`, as glibc has it.
    fn class_of(&self, number: usize) -> Class {
        let mut reader = Reader::new(self.format);
        // The format was read once, so it is a good one.
        while let Ok((_, Some(directive))) = reader.next() {
            let of_it = |(which, class)| (which == Which::Number(number)).then_some(class);
            if let Some(class) = directive.arguments().find_map(of_it) {
                return class;
            }
        }
        Class::Word
    }

    /// The list from an argument on.
    ///
    /// # Safety
    /// There must be such an argument.
    unsafe fn at(&mut self, which: Which) -> &mut VaList {
        let (Which::Number(number), Some(start)) = (which, &self.numbered) else {
            return self.list;
        };
        let mut list = start.clone();
        for before in 1..number {
            // SAFETY: the caller's: whoever passes an argument passes those before it.
            unsafe {
                match self.class_of(before) {
                    Class::Word => drop(list.word()),
                    Class::Double => drop(list.double()),
                    Class::LongDouble => list.skip_long_double(),
                }
            }
        }
        *self.list = list;
        self.list
    }

    /// # Safety
    /// The directive's arguments must be there.
    unsafe fn count(&mut self, count: Option<Count>) -> Option<c_int> {
        Some(match count? {
            Count::Given(n) => n,
            // SAFETY: the directive's arguments are there, as this function demands.
            Count::Argument(which) => unsafe { self.at(which).word() as c_int },
        })
    }

    /// A directive with its width and precision, which are taken off the list; the list then stands before its value.
    ///
    /// # Safety
    /// The directive's arguments must be there.
    pub(super) unsafe fn settle(&mut self, directive: &Directive) -> (Spec, &mut VaList) {
        let mut spec = directive.spec;
        // SAFETY: the directive's arguments are there, as this function demands.
        unsafe {
            if let Some(width) = self.count(directive.width) {
                spec.left |= width < 0;
                spec.width = width.unsigned_abs() as usize;
            }
            // A negative one from an argument is as none.
            let precision = self.count(directive.precision);
            spec.precision = precision.and_then(|n| usize::try_from(n).ok());
            match directive.class() {
                Some(_) => (spec, self.at(directive.value)),
                None => (spec, self.list),
            }
        }
    }
}
