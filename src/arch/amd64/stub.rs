//! Go assembly: the entry of each function on the Go side.
//!
//! A stub loads `g` and jumps. In ABI0 R14 does not hold `g` (abi-internal.md, "Architecture specifics"), and the wrapper cannot load it
//! by itself: where it lies relative to the thread pointer depends on how the program is linked, and only Go's assembler and linker know.
//! `MOVQ (TLS), R14` becomes the right one or two instructions in every build mode (cmd/internal/obj/x86/obj6.go, `CanUse1InsnTLS`).
//!
//! R13 tells the package from copies of it, by the address of one of its functions. R12 tells the runtime where to go on if the call does not return,
//! or is to become a system call of Go's: there is no other way for the image to learn the addresses of Go functions, since it may not refer to Go's
//! symbols. Bit 0 says that the call is to become no system call (`rt/src/contract.rs`, `LANDING_STAYS`); Go's functions begin at even addresses.
//!
//! The stub has no frame and does not touch SP: the wrapper, outside of Go's sight, switches stacks. It therefore finds the
//! arguments right above the return address, and its own return goes to the Go caller.

use crate::arch::{KeptCalls, Landing, Stub};

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
    let stub = |flags: &str, landing: &str| {
        format!(
            "// {signature}\nTEXT ·{go_name}(SB), {flags}, $0-{size}\n\tMOVQ (TLS), R14\n\tLEAQ ·{package}(SB), R13\n\tLEAQ ·{landing}(SB), R12\n\tJMP  {wrapper}(SB)\n"
        )
    };
    match landing {
        Landing::Stays(landing) => stub("NOSPLIT", &format!("{landing}+1")),
        Landing::Away => {
            let name = format!("rsysoAway_{go_name}");
            let makes = match frame.callbacks {
                true => AWAY_TO_CALL,
                false => AWAY,
            };
            format!(
                "{}\tCALL ·{name}(SB)\n\n{makes}(·{name}, ·{go_name}·args_stackmap, ·{go_name}·arginfo0, $24-{size})\n",
                stub("NOSPLIT|NOFRAME", &name)
            )
        }
    }
}

/// The macro that makes the away function of a stub.
const AWAY: &str = "rsysoAway";
/// The same for a stub that returns what Go is to call.
const AWAY_TO_CALL: &str = "rsysoAwayToCall";

/// What a stub becomes once its call is to be a system call of Go's (CX is 0, AX leads to the lane), or does not return (CX is 1, AX leads to the departure). The
/// runtime jumps here with the goroutine's stack pointer as the stub had it: so the function has the arguments of the stub, and in Go's eyes it was
/// called in its place. A stub ends with a call of it that is never reached, for which the linker counts the stack. The wrapper has written the results,
/// but for the address of what Go is to call.
///
/// All of it is assembly: until the scheduler is told, the goroutine must not be preempted, since the lane is its thread's. Compiled code could be, even
/// in functions that are `go:nosplit`: their first instructions are safe points (cmd/internal/obj/x86/obj6.go marks none there). Assembly has none, and neither has the runtime
/// (runtime/preempt.go, `isAsyncSafePoint`).
///
/// Where the library keeps Go functions, CX may be 2: it calls one, and AX leads to what Go is shown of that. Such a call may also come out of one that has
/// become a system call. The function's last instruction takes its frame off and jumps: while the library runs, Go sees the stub's frame alone, and finds the
/// arguments of the stub by that.
///
/// In macros, since cmd/vet wants a declaration of each function whose name it sees.
pub(super) fn away(go_on: &str, depart: &str, keeps: Option<KeptCalls<'_>>) -> String {
    let text = |name: &str, result: &str| {
        let lines = [
            &format!("#define {name}(AWAY, ARGS, INFO, FRAME)"),
            "TEXT AWAY(SB), NOSPLIT, FRAME;",
            "FUNCDATA $FUNCDATA_ArgsPointerMaps, ARGS(SB);",
            "FUNCDATA $FUNCDATA_ArgInfo, INFO(SB);",
            "NO_LOCAL_POINTERS;",
            "MOVQ AX, 0(SP);",
            "TESTQ CX, CX;",
            "JEQ 3(PC);",
            &format!("CALL ·{depart}(SB);"),
            "INT $3;",
            "CALL runtime·entersyscall(SB);",
            &format!("CALL ·{go_on}(SB);"),
            "CALL runtime·exitsyscall(SB);",
            "MOVQ 8(SP), AX;",
            "MOVQ AX, 0(SP);",
            "TESTQ AX, AX;",
            "JEQ 3(PC);",
            &format!("CALL ·{depart}(SB);"),
            "INT $3;",
            result,
            "RET",
        ];
        let lines = lines.into_iter().filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join(" \\\n\t") + "\n"
    };
    let plain = match keeps {
        None => text(AWAY, ""),
        Some(keeps) => keeping(go_on, depart, &keeps),
    };
    format!(
        "// {AWAY} makes the function in which the library goes on that a stub has called: with the call as a system call of Go's, or if the call does not return.\n{}\n// {AWAY_TO_CALL} does the same for a stub that returns what Go is to call.\n{}",
        plain,
        text(AWAY_TO_CALL, "MOVQ 16(SP), AX; MOVQ AX, ret+8(FP);")
    )
}

/// The macro [`AWAY`] of a library that keeps Go functions.
fn keeping(go_on: &str, depart: &str, keeps: &KeptCalls<'_>) -> String {
    let KeptCalls { call, resume } = keeps;
    let lines = [
        &format!("#define {AWAY}(AWAY, ARGS, INFO, FRAME)"),
        "TEXT AWAY(SB), NOSPLIT, FRAME;",
        "FUNCDATA $FUNCDATA_ArgsPointerMaps, ARGS(SB);",
        "FUNCDATA $FUNCDATA_ArgInfo, INFO(SB);",
        "NO_LOCAL_POINTERS;",
        "MOVQ AX, 0(SP);",
        "CMPQ CX, $1;",
        "JEQ departs;",
        "JHI calls;",
        "CALL runtime·entersyscall(SB);",
        &format!("CALL ·{go_on}(SB);"),
        "CALL runtime·exitsyscall(SB);",
        "MOVQ 8(SP), AX;",
        "MOVQ AX, 0(SP);",
        "TESTQ AX, AX;",
        "JNE departs;",
        "MOVQ 16(SP), AX;",
        "MOVQ AX, 0(SP);",
        "TESTQ AX, AX;",
        "JNE calls;",
        "RET;",
        "calls: MOVQ AX, 8(SP);",
        &format!("CALL ·{call}(SB);"),
        "MOVQ 8(SP), R13;",
        "MOVQ (TLS), R14;",
        "LEAQ AWAY(SB), R12;",
        &format!("RET {resume}(SB);"),
        &format!("departs: CALL ·{depart}(SB);"),
        "INT $3",
    ];
    lines.join(" \\\n\t") + "\n"
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
    fn a_kept_function_is_called_and_left_by_a_jump() {
        let keeps = KeptCalls {
            call: "rsysoKept",
            resume: "rsyso_ab12_resume",
        };
        let text = away("rsysoGoOn", "rsysoDepart", Some(keeps));
        let (first, second) = text.split_once("// rsysoAwayToCall").unwrap();
        let order = [
            "JEQ departs;",
            "JHI calls;",
            "CALL runtime·exitsyscall(SB);",
            "JNE departs;",
            "JNE calls;",
            "RET;",
            "calls:",
            "CALL ·rsysoKept(SB);",
            "LEAQ AWAY(SB), R12;",
            "RET rsyso_ab12_resume(SB);",
            "departs:",
        ];
        let at = order.map(|what| first.find(what).unwrap_or_else(|| panic!("no {what}")));
        assert!(at.is_sorted(), "{first}");
        assert!(!second.contains("rsysoKept"));
        let plain = away("rsysoGoOn", "rsysoDepart", None);
        assert!(plain.ends_with(&format!("// rsysoAwayToCall{second}")));
    }

    #[test]
    fn a_stub_reads_as_hand_written_go_assembly() {
        let frame = Frame {
            size: 24,
            ..Frame::default()
        };
        let stub = |landing| Stub {
            go_name: "CountWords",
            signature: "func CountWords(text string) uint",
            wrapper: "rsyso_ab12_count_words",
            frame: &frame,
            package: "rsysoLanding",
            landing,
        };
        let want = "// func CountWords(text string) uint\n\
                    TEXT ·CountWords(SB), NOSPLIT, $0-24\n\
                    \tMOVQ (TLS), R14\n\
                    \tLEAQ ·rsysoLanding(SB), R13\n\
                    \tLEAQ ·rsysoLanding+1(SB), R12\n\
                    \tJMP  rsyso_ab12_count_words(SB)\n";
        assert_eq!(print(&stub(Landing::Stays("rsysoLanding"))), want);
        let want = "// func CountWords(text string) uint\n\
                    TEXT ·CountWords(SB), NOSPLIT|NOFRAME, $0-24\n\
                    \tMOVQ (TLS), R14\n\
                    \tLEAQ ·rsysoLanding(SB), R13\n\
                    \tLEAQ ·rsysoAway_CountWords(SB), R12\n\
                    \tJMP  rsyso_ab12_count_words(SB)\n\
                    \tCALL ·rsysoAway_CountWords(SB)\n\
                    \n\
                    rsysoAway(·rsysoAway_CountWords, ·CountWords·args_stackmap, ·CountWords·arginfo0, $24-24)\n";
        assert_eq!(print(&stub(Landing::Away)), want);
    }
}
