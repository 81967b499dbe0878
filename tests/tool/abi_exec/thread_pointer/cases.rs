//! Code that goes through the thread pointer, and must do the same when it does not.

use iced_x86::code_asm::*;
use iced_x86::{Code, MemoryOperand, Register};

use super::*;

macro_rules! same {
    ($($(#[$meta:meta])* $name:ident: |$a:ident| $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            same(stringify!($name), |$a| { $body Ok(()) });
        }
    )*};
}

/// All flags, to r15; as code that looks at them.
fn tell_flags(a: &mut CodeAssembler) -> Result<(), iced_x86::IcedError> {
    // Not pushed: the red zone is in use.
    a.lahf()?;
    a.seto(cl)?;
    a.mov(r15, rax)
}

same! {
    the_pointer_itself_into_every_register: |a| {
        let place = MemoryOperand::new(Register::None, Register::None, 1, 0, 8, false, Register::FS);
        a.add_instruction(Instruction::with2(Code::Mov_r64_rm64, Register::RAX, place)?)?;
        a.mov(rdx, qword_ptr(0).fs())?;
        a.mov(r12, qword_ptr(0).fs())?;
        a.mov(r13, qword_ptr(0).fs())?;
        a.test(rax, rax)?;
        a.ret()?;
    }
    the_pointer_where_flags_matter: |a| {
        a.mov(rdi, qword_ptr(0).fs())?;
        tell_flags(a)?;
        a.mov(rsi, qword_ptr(0).fs())?;
        a.adc(rsi, rdi)?;
        a.ret()?;
    }
    sums_and_comparisons_with_the_pointer: |a| {
        a.add(rbx, qword_ptr(0).fs())?;
        a.mov(r8, qword_ptr(rbx))?;
        a.cmp(qword_ptr(0).fs(), rax)?;
        tell_flags(a)?;
        a.sub(rcx, qword_ptr(0).fs())?;
        a.ret()?;
    }
    loads_of_known_offsets: |a| {
        load(a, Register::RAX, LOCAL)?;
        a.mov(rax, qword_ptr(rax).fs())?;
        load(a, Register::RDX, LOCAL)?;
        a.mov(r10, qword_ptr(rdx + 8).fs())?;
        load(a, Register::R13, LOCAL)?;
        a.movzx(r13d, byte_ptr(r13 + 3).fs())?;
        a.test(rax, rax)?;
        a.ret()?;
    }
    stores_at_known_offsets: |a| {
        load(a, Register::RAX, LOCAL)?;
        a.mov(qword_ptr(rax).fs(), rdi)?;
        a.mov(dword_ptr(rax + 16).fs(), 5)?;
        load(a, Register::R9, LOCAL)?;
        a.add(byte_ptr(r9 + 1).fs(), 1)?;
        tell_flags(a)?;
        // The register has the offset, as before.
        a.mov(qword_ptr(r9 + 24).fs(), r9)?;
        a.ret()?;
    }
    known_offsets_where_flags_matter: |a| {
        load(a, Register::RDX, LOCAL)?;
        a.mov(rsi, qword_ptr(rdx).fs())?;
        a.lahf()?;
        load(a, Register::RDX, LOCAL)?;
        a.adc(qword_ptr(rdx).fs(), rsi)?;
        tell_flags(a)?;
        a.ret()?;
    }
    registers_with_offsets_from_elsewhere: |a| {
        a.mov(rsi, qword_ptr(rbx).fs())?;
        a.mov(rdi, qword_ptr(rbp + 8).fs())?;
        a.mov(qword_ptr(r13).fs(), rdi)?;
        a.mov(qword_ptr(rbx + 16).fs(), 0)?;
        a.cmp(byte_ptr(rbp + 0x330).fs(), 0)?;
        tell_flags(a)?;
        a.mov(rbx, qword_ptr(rbx).fs())?;
        a.ret()?;
    }
    two_registers_and_a_scale: |a| {
        a.and(rax, 7)?;
        a.mov(edx, dword_ptr(rbx + rax * 4).fs())?;
        a.mov(eax, dword_ptr(rbx + rax * 4 + 0x100).fs())?;
        a.and(ecx, 7)?;
        a.add(word_ptr(rbp + rcx).fs(), si)?;
        a.ret()?;
    }
    offsets_in_the_displacement: |a| {
        a.mov(r9d, dword_ptr(LOCAL).fs())?;
        a.mov(byte_ptr(LOCAL + 9).fs(), 7)?;
        a.and(ecx, 7)?;
        a.add(r8, qword_ptr(rcx * 8 + LOCAL).fs())?;
        a.inc(dword_ptr(LOCAL + 12).fs())?;
        tell_flags(a)?;
        a.ret()?;
    }
    the_high_halves_of_registers: |a| {
        a.mov(ah, byte_ptr(rbx).fs())?;
        a.mov(byte_ptr(rbx + 4).fs(), dh)?;
        a.mov(byte_ptr(LOCAL).fs(), ch)?;
        a.ret()?;
    }
    vectors_and_floats: |a| {
        a.movups(xmm0, xmmword_ptr(rbx).fs())?;
        a.movups(xmmword_ptr(rbx + 0x40).fs(), xmm0)?;
        a.movss(xmm1, dword_ptr(LOCAL + 4).fs())?;
        a.movd(eax, xmm1)?;
        a.ret()?;
    }
    atomics: |a| {
        a.lock().xadd(qword_ptr(rbx).fs(), rax)?;
        tell_flags(a)?;
        a.lock().cmpxchg(qword_ptr(LOCAL).fs(), rdx)?;
        a.xchg(qword_ptr(rbp).fs(), rdi)?;
        a.ret()?;
    }
    registers_that_are_read_unsaid: |a| {
        load(a, Register::RAX, LOCAL)?;
        a.lock().cmpxchg(qword_ptr(rax).fs(), rdx)?;
        tell_flags(a)?;
        load(a, Register::RAX, LOCAL)?;
        a.mul(qword_ptr(rax).fs())?;
        a.mov(cl, 3)?;
        a.shl(qword_ptr(rbx).fs(), cl)?;
        a.imul_2(rbx, qword_ptr(rbx).fs())?;
        a.ret()?;
    }
    conditional_moves_and_sets: |a| {
        a.mov(r14, qword_ptr(rbx).fs())?;
        a.cmovb(rdx, qword_ptr(rbx).fs())?;
        a.seto(byte_ptr(rbx).fs())?;
        tell_flags(a)?;
        a.ret()?;
    }
    the_red_zone: |a| {
        a.mov(qword_ptr(rsp - 8), rax)?;
        a.mov(qword_ptr(rsp - 128), rdx)?;
        a.add(rdi, qword_ptr(0).fs())?;
        a.mov(r9, qword_ptr(rbx).fs())?;
        a.lahf()?;
        a.mov(qword_ptr(rbx).fs(), r9)?;
        a.mov(rsi, qword_ptr(rsp - 8))?;
        a.mov(r8, qword_ptr(rsp - 128))?;
        a.ret()?;
    }
    what_goes_along_with_a_short_one: |a| {
        let mut skip = a.create_label();
        let mut out = a.create_label();
        a.mov(rdi, qword_ptr(rbx).fs())?;
        a.test(rdi, 1)?;
        a.je(skip)?;
        a.mov(eax, dword_ptr(rbx).fs())?;
        a.jmp(out)?;
        a.set_label(&mut skip)?;
        a.mov(eax, 1)?;
        a.mov(ecx, dword_ptr(rbx).fs())?;
        a.jb(out)?;
        a.mov(edx, 3)?;
        a.set_label(&mut out)?;
        a.mov(rbx, qword_ptr(rbx).fs())?;
        a.ret()?;
    }
    short_ones_between_blocks: |a| {
        let mut middle = a.create_label();
        let mut last = a.create_label();
        a.test(rdi, 1)?;
        a.je(middle)?;
        // What this leaves free is where the short one goes on.
        load(a, Register::RAX, LOCAL)?;
        a.mov(eax, dword_ptr(rax + 16).fs())?;
        a.ret()?;
        a.set_label(&mut middle)?;
        a.mov(eax, dword_ptr(rbx).fs())?;
        a.ret()?;
        a.set_label(&mut last)?;
        a.nop()?;
        a.jmp(last)?;
    }
    short_ones_before_padding: |a| {
        let mut middle = a.create_label();
        let mut last = a.create_label();
        a.test(rdi, 1)?;
        a.je(middle)?;
        a.jmp(last)?;
        a.set_label(&mut middle)?;
        a.mov(eax, dword_ptr(rbx).fs())?;
        a.ret()?;
        a.set_label(&mut last)?;
        a.ret()?;
        a.nops_with_size(9)?;
    }
    short_ones_between_calls: |a| {
        let mut leaf = a.create_label();
        let mut end = a.create_label();
        a.call(leaf)?;
        a.mov(rdi, qword_ptr(rbx).fs())?;
        a.call(leaf)?;
        a.mov(rsi, qword_ptr(rbx).fs())?;
        a.lea(r8, ptr(leaf))?;
        a.call(leaf)?;
        a.mov(rdi, qword_ptr(rbx).fs())?;
        a.call(r8)?;
        a.jmp(end)?;
        a.set_label(&mut leaf)?;
        // Where it returns to, and from where on the stack.
        a.add(r9, qword_ptr(rsp))?;
        a.lea(r10, ptr(rsp + r10))?;
        a.add(rdi, rax)?;
        a.ret()?;
        a.set_label(&mut end)?;
        a.ret()?;
    }
    calls_and_jumps_through_thread_locals: |a| {
        // The word leads to the last instruction.
        load(a, Register::RAX, LOCAL)?;
        a.call(qword_ptr(rax + 0x40).fs())?;
        a.call(qword_ptr(LOCAL + 0x40).fs())?;
        a.mov(rdx, 7u64)?;
        a.xor(r11d, r11d)?;
        load(a, Register::RAX, LOCAL)?;
        a.call(qword_ptr(rax + 0x40).fs())?;
        a.xor(r11d, r11d)?;
        a.ret()?;
    }
    the_stack_protector: |a| {
        a.mov(r8, qword_ptr(PROTECTOR).fs())?;
        a.mov(qword_ptr(rbx).fs(), r8)?;
        a.mov(rdx, r8)?;
        a.sub(rdx, qword_ptr(PROTECTOR).fs())?;
        tell_flags(a)?;
        a.xor(r9, qword_ptr(PROTECTOR).fs())?;
        a.cmp(r10, qword_ptr(PROTECTOR).fs())?;
        tell_flags(a)?;
        a.ret()?;
    }
}
