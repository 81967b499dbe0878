//! The handles that functions are given: what the wrappers have to do for them (`rt/src/leave/handles.rs` has the whole).

use super::goabi::{self, Frame};
use super::{Api, Declared};

/// What the wrapper of one function does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Uses {
    /// Nothing.
    #[default]
    None,
    /// The function is given handles.
    Given {
        /// In order; no more than [`crate::contract::USES`].
        handles: Vec<Given>,
        /// Whether Go still reads what they own when the call is over: it ends the use then.
        pinned: bool,
    },
    /// The function frees the value of a handle. It is given the cell, and the function is called when nothing uses that.
    Freed,
    /// The function is the runtime's, and gives what is to be dropped.
    Settled,
    /// When the function returns, what is due is dropped.
    Drained,
}

/// One handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Which of the parameters.
    pub param: usize,
    /// Whether the function takes the value for good.
    pub taken: bool,
    /// Whether it may be nil.
    pub nullable: bool,
    /// For the message if the call cannot be: what comes before the type, the type, what comes behind.
    pub note: [String; 3],
}

impl Given {
    /// The note as the runtime reads it: strings of C.
    pub fn note_bytes(&self) -> Vec<u8> {
        let strings = self.note.iter();
        strings.flat_map(|s| s.bytes().chain([0])).collect()
    }
}

/// How a function is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Where Go puts what it passes and finds the result.
    pub frame: Frame,
    /// What the wrapper does for handles.
    pub uses: Uses,
}

/// How the functions of a package are called: what their wrappers are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// In the order of the functions.
    pub functions: Vec<Call>,
    /// Whether there are handles at all.
    pub any: bool,
    /// Whether Go itself ends uses.
    pub settles: bool,
}

impl Calls {
    /// Without handles, and as declared.
    pub fn plain(api: &Api, declared: &Declared) -> Calls {
        let functions = api.functions().iter().map(|f| Call {
            frame: goabi::declared(api, declared, f),
            uses: Uses::None,
        });
        Calls {
            functions: functions.collect(),
            ..Calls::default()
        }
    }
}
