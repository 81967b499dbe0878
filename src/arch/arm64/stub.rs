//! Go assembly: the entry of each function on the Go side.
//!
//! A stub jumps. R28 holds `g` in assembly, too (cmd/compile/abi-internal.md, "arm64 architecture"). R13 tells the package from copies of it, by the address of one of
//! its functions. R12 tells the runtime where to go on if the call does not return, or is to become a system call of Go's: there is no other way for
//! the image to learn the addresses of Go functions, since it may not refer to Go's symbols. Bit 0 says that the call is to become no system call
//! (`rt/src/contract.rs`, `LANDING_STAYS`); instructions lie at multiples of 4.
//!
//! The stub has no frame and does not touch RSP: the wrapper, outside of Go's sight, switches stacks. It therefore finds the
//! arguments where the caller has put them, and its own return goes to the Go caller.

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
    let stub = |landing: &str| {
        format!(
            "// {signature}\nTEXT ·{go_name}(SB), NOSPLIT|NOFRAME, $0-{size}\n\tMOVD $·{package}(SB), R13\n\tMOVD $·{landing}(SB), R12\n\tJMP  {wrapper}(SB)\n"
        )
    };
    match landing {
        Landing::Stays(landing) => stub(&format!("{landing}+1")),
        Landing::Away => {
            let name = format!("rsysoAway_{go_name}");
            let makes = match frame.callbacks {
                true => AWAY_TO_CALL,
                false => AWAY,
            };
            format!(
                "{}\tCALL ·{name}(SB)\n\n{makes}(·{name}, ·{go_name}·args_stackmap, ·{go_name}·arginfo0, $24-{size})\n",
                stub(&name)
            )
        }
    }
}

/// The macro that makes the away function of a stub.
const AWAY: &str = "rsysoAway";
/// The same for a stub that returns what Go is to call.
const AWAY_TO_CALL: &str = "rsysoAwayToCall";

/// What a stub becomes once its call is to be a system call of Go's (R1 is 0, R0 leads to the lane), or does not return (R1 is 1, R0 leads to the departure). The
/// runtime jumps here with stack pointer and link register as the stub had them: so the function has the arguments of the stub, and in Go's eyes it was
/// called in its place. A stub ends with a call of it that is never reached, for which the linker counts the stack. The wrapper has written the results,
/// but for the address of what Go is to call.
///
/// All of it is assembly: until the scheduler is told, the goroutine must not be preempted, since the lane is its thread's. Compiled code could be, even
/// in functions that are `go:nosplit`. Assembly has no safe points, and neither has the runtime (runtime/preempt.go, `isAsyncSafePoint`).
///
/// Where the library keeps Go functions, R1 may be 2: it calls one, and R0 leads to what Go is shown of that. Such a call may also come out of one that has
/// become a system call. The function's last instruction takes its frame off and jumps: while the library runs, Go sees the stub's frame alone, and finds the
/// arguments of the stub by that.
///
/// In macros, since cmd/vet wants a declaration of each function whose name it sees. What functions are called with and what they give begins 8 bytes above RSP.
pub(super) fn away(go_on: &str, depart: &str, keeps: Option<KeptCalls<'_>>) -> String {
    let text = |name: &str, result: &str| {
        let lines = [
            &format!("#define {name}(AWAY, ARGS, INFO, FRAME)"),
            "TEXT AWAY(SB), NOSPLIT, FRAME;",
            "FUNCDATA $FUNCDATA_ArgsPointerMaps, ARGS(SB);",
            "FUNCDATA $FUNCDATA_ArgInfo, INFO(SB);",
            "NO_LOCAL_POINTERS;",
            "MOVD R0, 8(RSP);",
            "CBZ R1, 3(PC);",
            &format!("CALL ·{depart}(SB);"),
            "UNDEF;",
            "CALL runtime·entersyscall(SB);",
            &format!("CALL ·{go_on}(SB);"),
            "CALL runtime·exitsyscall(SB);",
            "MOVD 16(RSP), R0;",
            "MOVD R0, 8(RSP);",
            "CBZ R0, 3(PC);",
            &format!("CALL ·{depart}(SB);"),
            "UNDEF;",
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
        text(AWAY_TO_CALL, "MOVD 24(RSP), R0; MOVD R0, ret+8(FP);")
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
        "MOVD R0, 8(RSP);",
        "CMP $1, R1;",
        "BEQ departs;",
        "BHI calls;",
        "CALL runtime·entersyscall(SB);",
        &format!("CALL ·{go_on}(SB);"),
        "CALL runtime·exitsyscall(SB);",
        "MOVD 16(RSP), R0;",
        "MOVD R0, 8(RSP);",
        "CBNZ R0, departs;",
        "MOVD 24(RSP), R0;",
        "MOVD R0, 8(RSP);",
        "CBNZ R0, calls;",
        "RET;",
        "calls: MOVD R0, 16(RSP);",
        &format!("CALL ·{call}(SB);"),
        "MOVD 16(RSP), R13;",
        "MOVD $AWAY(SB), R12;",
        &format!("RET {resume}(SB);"),
        &format!("departs: CALL ·{depart}(SB);"),
        "UNDEF",
    ];
    lines.join(" \\\n\t") + "\n"
}

/// The runtime jumps here with stack pointer and link register as the stub had them, and a pointer in R0. The function must be NOSPLIT: the
/// prologue of others clobbers registers. Its frame holds no Go pointer, which it has to say for the sake of tracebacks.
pub(super) fn landing(name: &str, then: &str) -> String {
    format!(
        "// func {name}()\nTEXT ·{name}(SB), NOSPLIT, $8-0\n\tNO_LOCAL_POINTERS\n\tMOVD R0, 8(RSP)\n\tCALL ·{then}(SB)\n\tUNDEF // not reached\n"
    )
}
