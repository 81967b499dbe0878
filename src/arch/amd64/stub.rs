//! Go assembly: the entry of each function on the Go side.
//!
//! A stub loads `g` and jumps. In ABI0 R14 does not hold `g` (abi-internal.md, "Architecture specifics"), and the wrapper cannot load it
//! by itself: where it lies relative to the thread pointer depends on how the program is linked, and only Go's assembler and linker know.
//! `MOVQ (TLS), R14` becomes the right one or two instructions in every build mode (cmd/internal/obj/x86/obj6.go, `CanUse1InsnTLS`).
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
    } = stub;
    let size = frame.stub_size();
    format!(
        "// {signature}\nTEXT ·{go_name}(SB), NOSPLIT, $0-{size}\n\tMOVQ (TLS), R14\n\tJMP  {wrapper}(SB)\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goabi::Frame;

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
        };
        let want = "// func CountWords(text string) uint\n\
                    TEXT ·CountWords(SB), NOSPLIT, $0-24\n\
                    \tMOVQ (TLS), R14\n\
                    \tJMP  rsyso_ab12_count_words(SB)\n";
        assert_eq!(print(&stub), want);
    }
}
