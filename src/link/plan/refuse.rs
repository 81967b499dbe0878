//! Why a relocation cannot be planned.

use super::super::Referrer;
use super::super::live;
use super::super::names::demangle;
use super::super::{SecRef, Target};
use super::planner::{Planner, Step};
use crate::arch::reloc::{Howto, Refusal};
use crate::base::diag::Problem;
use crate::read::Reloc;

impl Planner<'_, '_> {
    /// A problem with its place.
    pub(super) fn located(&self, problem: Problem, at: SecRef, reloc: &Reloc) -> Problem {
        let object = self.inputs.object(at.obj);
        let offset = reloc.offset;
        let who = live::describe_at(self.inputs, Referrer { at, offset });
        problem
            .at(object.place(at.sec, offset))
            .note(format!("in {who}"))
    }

    fn name(&self, at: SecRef, reloc: &Reloc) -> String {
        let symbol = &self.inputs.object(at.obj).symbols[reloc.symbol as usize];
        let target = match self.inputs.section(at).eh_frame() {
            true => self.symbols.target(at.obj, reloc.symbol),
            false => self.symbols.reference(self.inputs, at.obj, reloc),
        };
        match target {
            Target::Section { at, offset, .. } if symbol.name.is_empty() => {
                let offset = offset.saturating_add_signed(reloc.addend);
                live::describe_at(self.inputs, Referrer { at, offset })
            }
            _ => demangle(&symbol.name),
        }
    }

    pub(super) fn unknown_type(&self, at: SecRef, reloc: &Reloc) -> Problem {
        Problem::new(format!(
            "unknown relocation type {} against {}",
            { reloc.r_type },
            self.name(at, reloc)
        ))
        .help("please report it, with the compiler and its flags")
    }

    /// Refuses what cannot be the target of any reference.
    pub(super) fn check_target(&self, at: SecRef, reloc: &Reloc, target: Target) -> Step<()> {
        let name = || self.name(at, reloc);
        let problem = match target {
            Target::IFunc => Problem::new(format!(
                "{} is an indirect function, resolved by a loader",
                name()
            ))
            .help("build the C code without target_clones and ifunc attributes"),
            Target::TlsGetAddr => {
                Problem::new("an unknown sequence of instructions calls __tls_get_addr")
                    .help("please report it, with the compiler and its flags")
            }
            Target::Discarded => Problem::new(format!(
                "{} lies in a section group of which another copy was kept",
                name()
            ))
            .help("build all objects with the same compiler and flags"),
            Target::Section { at: to, .. } if self.inputs.section(to).tls() => {
                Problem::new(format!(
                    "the thread-local {} is used like an ordinary variable",
                    name()
                ))
                .help("declare it thread-local where it is used, too")
            }
            Target::Section { at: to, .. } if !self.inputs.section(to).alloc() => {
                Problem::new(format!(
                    "{} is not loaded at run time, but loaded code refers to it",
                    name()
                ))
            }
            _ => return Ok(()),
        };
        Err(problem)
    }

    /// A target that is a thread-local.
    pub(super) fn thread_local_target(
        &self,
        at: SecRef,
        reloc: &Reloc,
        target: Target,
    ) -> Step<Target> {
        match target {
            Target::Section { at: to, .. } if self.inputs.section(to).tls() => Ok(target),
            _ => Err(Problem::new(format!(
                "{} is used as a thread-local, but is none",
                self.name(at, reloc)
            ))
            .help("declare it the same way where it is defined and where it is used")),
        }
    }

    /// For a distance to what has no address in the image.
    pub(super) fn no_address(&self, at: SecRef, reloc: &Reloc) -> Problem {
        Problem::new(format!(
            "the distance to {} cannot be computed: it has no address in the image",
            self.name(at, reloc)
        ))
        .help("compile with -fPIC")
    }

    /// For an address in code, which is never written to.
    pub(super) fn address_in_code(&self, at: SecRef, reloc: &Reloc) -> Problem {
        Problem::new(format!("code holds the absolute address of {}", self.name(at, reloc)))
            .help("compile with -fPIC (rustc: without -C relocation-model=static) and without -mcmodel=large")
    }

    pub(super) fn not_loaded(&self, at: SecRef, reloc: &Reloc) -> Problem {
        Problem::new(format!(
            "internal error: {} lies outside of the image, and code cannot be made to load its address; please report it",
            self.name(at, reloc)
        ))
    }

    pub(super) fn unknown_sequence(&self, at: SecRef, reloc: &Reloc) -> Problem {
        Problem::new(format!(
            "an unknown sequence of instructions reaches the thread-local {}",
            self.name(at, reloc)
        ))
        .help("please report it, with the compiler and its flags")
    }

    pub(super) fn refused(
        &self,
        at: SecRef,
        reloc: &Reloc,
        howto: &Howto,
        refusal: Refusal,
    ) -> Problem {
        let name = self.name(at, reloc);
        let what = format!("{} against {name}", howto.name);
        match refusal {
            Refusal::NotPic => {
                Problem::new(format!("the code is not position-independent: {what}"))
                    .help("compile with -fPIC; with rustc, without -C relocation-model=static")
            }
            Refusal::Other { what: it, help } => Problem::new(format!("{it}: {what}")).help(help),
            Refusal::Loader => Problem::new(format!("only a loader can resolve {what}"))
                .help("compile C with -fPIC and -mcmodel=small; Rust without -C code-model"),
        }
    }
}
