//! Linked code, run: on stacks as lanes are, without Go and without a runtime.

use super::super::build::LANE_SIZE;
use super::{linked, run};
use std::process::Command;

/// What is linked: thread-locals before and behind 4 KiB, a static from a cell, a table of jumps, and the thread pointer itself.
const LIBRARY: &str = "
static __thread char before[5000];
static __thread long count;
extern long shared[4];
long shared[4] = { 1000, 2000, 3000, 4000 };
__attribute__((noinline)) long choose(long n) {
    switch (n & 7) {
        case 0: return 7; case 1: return 70; case 2: return 11; case 3: return 13;
        case 4: return 19; case 5: return 23; case 6: return 29; default: return 31;
    }
}
long root(long n) {
    before[4999 - n] += 1;
    count += n;
    return count + shared[n & 3] + choose(n) + before[4999 - n];
}
void *of_thread(void) { return __builtin_thread_pointer(); }
void *(*root_of_thread(void))(void) __attribute__((section(\".text.root\")));
void *(*root_of_thread(void))(void) { return of_thread; }
";

/// Calls it on two lanes, as a wrapper does: on the lane's stack.
const HARNESS: &str = "
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
static long on(char *lane, void *function, long n) {
    register long x0 __asm__(\"x0\") = n;
    register void *to __asm__(\"x8\") = function;
    register char *top __asm__(\"x20\") = lane + LANE / 2;
    __asm__ volatile(\"mov x19, sp\\n mov sp, x20\\n blr x8\\n mov sp, x19\"
        : \"+r\"(x0), \"+r\"(to) : \"r\"(top)
        : \"x1\",\"x2\",\"x3\",\"x4\",\"x5\",\"x6\",\"x7\",\"x9\",\"x10\",\"x11\",\"x12\",\"x13\",\"x14\",\"x15\",\"x16\",\"x17\",
          \"x19\",\"x30\",\"memory\",\"cc\");
    return x0;
}
int main(void) {
    FILE *file = fopen(\"image\", \"r\");
    char *image = aligned_alloc(65536, SIZE);
    if (!file || fread(image, 1, SIZE, file) != SIZE) return 1;
    mprotect(image, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    __builtin___clear_cache(image, image + SIZE);
    for (int which = 0; which < 2; which++) {
        char *lane = aligned_alloc(LANE, LANE);
        for (long n = 0; n < LANE; n++) lane[n] = 0;
        for (long n = 1; n < 4; n++) printf(\"%ld \", on(lane, image + ROOT, n));
        printf(\"%d\\n\", (char *)on(lane, image + OF_THREAD, 0) == lane);
    }
}
";

/// The linked code itself, compiled by gcc, under the emulator.
#[test]
#[ignore = "needs the cross compiler and the emulator; `make arm64` runs it"]
fn what_is_linked_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("library.c"), LIBRARY).expect("a file");
    std::fs::write(path("harness.c"), HARNESS).expect("a file");
    let flags = ["-O2", "-fPIC", "-ffunction-sections", "-S", "library.c"];
    run("gcc", &[&flags[..], &["-o", "a.s"]].concat(), folder.path());
    let source = std::fs::read_to_string(path("a.s")).expect("assembly");
    let image = linked(&source);
    std::fs::write(path("image"), &image.image).expect("a file");
    let define = |name: &str, value: u64| format!("-D{name}={value}");
    let args = [
        "-static",
        "-O1",
        &define("LANE", LANE_SIZE),
        &define("SIZE", image.image.len() as u64),
        &define("ROOT", image.symbol("root")),
        &define("OF_THREAD", image.symbol("of_thread")),
        "harness.c",
        "-o",
        "harness",
    ];
    run("gcc", &args, folder.path());
    let output = Command::new("qemu-aarch64")
        .arg("./harness")
        .current_dir(folder.path())
        .output();
    let output = output.unwrap_or_else(|e| panic!("qemu-aarch64: {e}; `make arm64` fetches it"));
    // Per lane: 1 + 2000 + 70 + 1, 3 + 3000 + 11 + 1, 6 + 4000 + 13 + 1.
    let lane = "2072 3015 4020 1\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), lane.repeat(2));
}
