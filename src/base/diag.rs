//! Errors as users meet them: what is wrong, where, who needs it, and a way out.

use std::fmt;

/// Whether the input is at fault or asks for something that is not supported. Decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The input or the command is at fault: exit status 1.
    Fault,
    /// The input needs something unsupported: exit status 2. All of it is listed.
    Unsupported,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// One sentence, without a full stop: what is wrong, symbols demangled.
    pub message: String,
    /// The place, as `lib.a(member.o):(.text.foo+0x1c)` or `src/lib.rs:12`.
    pub place: Option<String>,
    /// Further facts: who needs it, the chain from the export.
    pub notes: Vec<String>,
    /// What the user can do.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with its message alone.
    pub fn new(message: impl Into<String>) -> Self {
        Problem {
            message: message.into(),
            place: None,
            notes: Vec::new(),
            help: None,
        }
    }

    /// Adds the place.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds a fact.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds the way out.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n  --> {place}")?;
        }
        for note in &self.notes {
            write!(f, "\n  = note: {note}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

/// One or more problems of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Decides the exit status.
    pub kind: Kind,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl Error {
    /// The input or the command is at fault.
    pub fn fault(problem: Problem) -> Self {
        Error {
            kind: Kind::Fault,
            problems: vec![problem],
        }
    }

    /// The input needs something unsupported.
    pub fn unsupported(problem: Problem) -> Self {
        Error {
            kind: Kind::Unsupported,
            problems: vec![problem],
        }
    }

    /// `Ok(value)` when there are no problems, else all of them.
    pub fn check<T>(kind: Kind, problems: Vec<Problem>, value: T) -> Result<T> {
        if problems.is_empty() {
            Ok(value)
        } else {
            Err(Error { kind, problems })
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, p) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{p}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The result of every stage.
pub type Result<T> = std::result::Result<T, Error>;
