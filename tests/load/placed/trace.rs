//! A thread of another program, traced: step by step, or up to an instruction, by ptrace(2).

use std::ffi::c_void;
use std::io::{Read, Seek};
use std::mem::offset_of;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::Code;

/// The signal by which Go asks for a thread.
pub const WANTED: Signal = Signal::SIGURG;

/// What the program says by a system call that takes no argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The way begins.
    Begins,
    /// It is over, and all was right.
    Right,
    /// It is over, and something was not.
    Wrong,
    /// The machine does not have what the way needs.
    Absent,
}

impl Mark {
    /// As in `tests/programs/placed`.
    fn of(argument: u64) -> Option<Mark> {
        Some(match argument {
            0x7273_0001 => Mark::Begins,
            0x7273_0002 => Mark::Right,
            0x7273_0003 => Mark::Wrong,
            0x7273_0004 => Mark::Absent,
            _ => return None,
        })
    }
}

/// Why the thread has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It has said something.
    Mark(Mark),
    /// It is about to execute the instruction that was asked for.
    Break,
    /// It has the kernel take up what a signal has interrupted, by an instruction at this address.
    SignalReturn(u64),
}

/// A program whose first thread is traced.
pub struct Traced {
    child: Child,
    thread: Pid,
    code: Code,
    /// What it said on standard error.
    said: std::fs::File,
    /// A signal that it is to get next.
    due: Option<Signal>,
}

impl Traced {
    /// Starts a program with an argument. Of what Go does by itself as little as possible happens meanwhile.
    pub fn start(program: &Path, argument: &str, code: Code) -> Traced {
        let said = tempfile::tempfile().unwrap();
        let mut command = Command::new(program);
        command
            .arg(argument)
            .env("GODEBUG", "asyncpreemptoff=1")
            .env("GOGC", "off")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said.try_clone().unwrap());
        // SAFETY: between fork and exec the function makes one system call.
        unsafe { command.pre_exec(|| ptrace::traceme().map_err(Into::into)) };
        let child = command.spawn().unwrap();
        let thread = Pid::from_raw(child.id() as i32);
        let mut traced = Traced {
            child,
            thread,
            code,
            said,
            due: None,
        };
        // The exec stops it.
        assert_eq!(traced.wait(), WaitStatus::Stopped(thread, Signal::SIGTRAP));
        let options = ptrace::Options::PTRACE_O_TRACESYSGOOD | ptrace::Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(thread, options).unwrap();
        traced
    }

    /// Where its code lies.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The end of what it said.
    pub fn told(&mut self) -> String {
        let mut text = Vec::new();
        self.said.rewind().unwrap();
        self.said.read_to_end(&mut text).unwrap();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(80)..].join("\n")
    }

    fn wait(&mut self) -> WaitStatus {
        let status = waitpid(self.thread, Some(WaitPidFlag::__WALL)).unwrap();
        if matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..)) {
            panic!("the program ended: {status:?}\n{}", self.told());
        }
        status
    }

    /// It gets the signal before the next instruction.
    pub fn owe_signal(&mut self) {
        self.due = Some(WANTED);
    }

    /// Runs to the next mark.
    pub fn until_mark(&mut self) -> Mark {
        loop {
            match self.run(None) {
                Stop::Mark(mark) => return mark,
                Stop::SignalReturn(_) => {}
                Stop::Break => panic!("no stop was asked for"),
            }
        }
    }

    /// Runs until something is to be told, beginning with a signal.
    pub fn run(&mut self, signal: Option<Signal>) -> Stop {
        let mut signal = signal.or(self.due.take());
        loop {
            ptrace::syscall(self.thread, signal.take()).unwrap();
            match self.wait() {
                WaitStatus::PtraceSyscall(_) => {
                    if let Some(stop) = self.system_call() {
                        return stop;
                    }
                }
                WaitStatus::Stopped(_, Signal::SIGTRAP) => return Stop::Break,
                WaitStatus::Stopped(_, other) => signal = Some(other),
                other => panic!("{other:?}"),
            }
        }
    }

    /// What a system call says that begins.
    fn system_call(&self) -> Option<Stop> {
        let info = ptrace::syscall_info(self.thread).unwrap();
        if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
            return None;
        }
        // SAFETY: `op` says that this part of the union is what the kernel has written.
        let entry = unsafe { info.u.entry };
        match entry.nr as i64 {
            libc::SYS_getppid => Mark::of(entry.args[0]).map(Stop::Mark),
            libc::SYS_rt_sigreturn => Some(Stop::SignalReturn(info.instruction_pointer)),
            _ => None,
        }
    }

    /// Executes an instruction, and gives the address of the next; none if that says something.
    pub fn step(&mut self) -> Option<u64> {
        ptrace::step(self.thread, self.due.take()).unwrap();
        match self.wait() {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
            WaitStatus::Stopped(_, other) => self.due = Some(other),
            other => panic!("{other:?}"),
        }
        let registers = ptrace::getregs(self.thread).unwrap();
        let says = registers.rax == libc::SYS_getppid as u64 && Mark::of(registers.rdi).is_some();
        match says && self.is_system_call(registers.rip) {
            true => None,
            false => Some(registers.rip),
        }
    }

    fn is_system_call(&self, at: u64) -> bool {
        const SYSCALL: [u8; 2] = [0x0f, 0x05];
        let word = ptrace::read(self.thread, at as *mut c_void).unwrap();
        word.to_le_bytes()[..2] == SYSCALL
    }

    /// Stops before an instruction, or no more. By the processor's own means: other threads and the code are not concerned (Intel SDM, "Debug
    /// Registers").
    pub fn break_at(&mut self, at: Option<u64>) {
        const ADDRESS: usize = 0;
        const CONTROL: usize = 7;
        // The first address, for this thread, when it is executed.
        let control = at.map_or(0, |_| 1);
        self.set_debug(CONTROL, 0);
        self.set_debug(ADDRESS, at.unwrap_or(0));
        self.set_debug(CONTROL, control);
    }

    fn set_debug(&self, register: usize, value: u64) {
        let at = offset_of!(libc::user, u_debugreg) + register * size_of::<u64>();
        ptrace::write_user(self.thread, at as *mut c_void, value as i64)
            .unwrap_or_else(|e| panic!("debug register {register} cannot be set: {e}"));
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
