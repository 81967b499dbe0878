//! Go assembly: the entry of each function on the Go side.
//!
//! A stub loads `g` and jumps. In ABI0 R14 does not hold `g` (abi-internal.md, "Architecture specifics"), and the wrapper cannot load it
//! by itself: where it lies relative to the thread pointer depends on how the program is linked, and only Go's assembler and linker know.
//! `MOVQ (TLS), R14` becomes the right one or two instructions in every build mode (cmd/internal/obj/x86/obj6.go, `CanUse1InsnTLS`).
//!
//! R13 tells the runtime where to go on if the call does not return: there is no other way for the image to learn the address of a Go
//! function, since it may not refer to Go's symbols. It also tells the package from a copy of it. So where a call that may block goes on is told by R12.
//!
//! The stub has no frame and does not touch SP: the wrapper, outside of Go's sight, switches stacks. It therefore finds the
//! arguments right above the return address, and its own return goes to the Go caller.

use crate::arch::Stub;

pub(super) fn print(stub: &Stub<'_>) -> String {
    let Stub {
        go_name,
        signature,
        wrapper,
        frame,
        package,
        landing,
    } = stub;
    let size = frame.stub_size();
    let landing = match landing == package {
        true => String::new(),
        false => format!("\tLEAQ ·{landing}(SB), R12\n"),
    };
    format!(
        "// {signature}\nTEXT ·{go_name}(SB), NOSPLIT, $0-{size}\n\tMOVQ (TLS), R14\n\tLEAQ ·{package}(SB), R13\n{landing}\tJMP  {wrapper}(SB)\n"
    )
}

/// The runtime jumps here with the goroutine's stack pointer as the stub had it, and a pointer in AX. The function must be NOSPLIT: the
/// prologue of others clobbers registers. Its frame holds no Go pointer, which it has to say for the sake of tracebacks.
pub(super) fn landing(name: &str, then: &str) -> String {
    format!(
        "// func {name}()\nTEXT ·{name}(SB), NOSPLIT, $8-0\n\tNO_LOCAL_POINTERS\n\tMOVQ AX, 0(SP)\n\tCALL ·{then}(SB)\n\tINT  $3 // not reached\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::goabi::Frame;

    #[test]
    fn a_stub_reads_as_hand_written_go_assembly() {
        let frame = Frame {
            size: 24,
            ..Frame::default()
        };
        let stub = Stub {
            go_name: "CountWords",
            signature: "func CountWords(text string) uint",
            wrapper: "rsyso_ab12_count_words",
            frame: &frame,
            package: "rsysoLanding",
            landing: "rsysoLanding",
        };
        let want = "// func CountWords(text string) uint\n\
                    TEXT ·CountWords(SB), NOSPLIT, $0-24\n\
                    \tMOVQ (TLS), R14\n\
                    \tLEAQ ·rsysoLanding(SB), R13\n\
                    \tJMP  rsyso_ab12_count_words(SB)\n";
        assert_eq!(print(&stub), want);
    }
}
