//! The Go side: from the API to a Go package, and to the disk.
//!
//! [`plan`] makes a [`GoPackage`], once: what it declares, with comments and bodies, and what its stubs call, as values. Whoever shows the package
//! reads that; [`print()`] writes it down, and decides nothing. [`place()`] says where the package goes and what it is called, and
//! [`write`] puts it there, all or nothing.

mod package;
mod place;
mod plan;
mod print;

pub use crate::base::identifiers::library_name;
pub use package::{Assembly, Declaration, GoPackage, Item, Kind, Routine, Source, Stub};
pub use place::gitattributes;
pub use place::{
    CgoPresent, Place, Present, agree, cgo_present, is_platform, nowhere, package_in, place,
    place_of, present, suits, write, write_text, write_tree,
};
pub use plan::{Cgo, Request, plan, unsupported};
pub use print::{GoFile, print};
