//! Exported statics whose type is Rust's alone: a header says what they are for C.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::process::{Ran, run};
use crate::common::{rsyso, scratch};

const SOURCE: &str = "
    pub struct Enc { _name: &'static str }
    /// Rust lays it out as it likes, which for one field is as C does.
    pub struct Shared(*const Enc);
    unsafe impl Sync for Shared {}
    static INIT: Enc = Enc { _name: \"utf-8\" };
    #[unsafe(no_mangle)] pub static UTF8: Shared = Shared(&INIT);
    #[unsafe(no_mangle)] pub static OTHER: Shared = Shared(&INIT);
    #[unsafe(no_mangle)] pub extern \"C\" fn enc_free(enc: *mut Enc) { let _ = enc; }";

fn inspect(dir: &Path, header: &str) -> Ran {
    std::fs::write(dir.join("enc.h"), header).unwrap();
    let mut inspect = rsyso();
    inspect.args(["inspect", "--json", "--header", "enc.h", "libenc.a"]);
    run(inspect.current_dir(dir), Duration::from_secs(120))
}

#[test]
fn statics_of_types_that_go_cannot_see_into_are_what_the_header_says() {
    let dir = scratch();
    let dir = dir.path();
    std::fs::write(dir.join("enc.rs"), SOURCE).unwrap();
    let mut rustc = Command::new("rustc");
    rustc.args([
        "--edition=2024",
        "--crate-type=staticlib",
        "-O",
        "-g",
        "enc.rs",
    ]);
    run(rustc.current_dir(dir), Duration::from_secs(120)).success();
    let header = "typedef struct Enc Enc;\nvoid enc_free(Enc *enc);\n/** The one. */\nextern const Enc *const UTF8;\n";
    let found: serde_json::Value =
        serde_json::from_str(&inspect(dir, header).success().stdout).unwrap();
    let exports = found["exports"].as_array().unwrap().iter();
    let go: Vec<_> = exports.filter_map(|e| e["go"].as_str()).collect();
    assert_eq!(
        go,
        [
            "func OTHER() *Shared",
            "func UTF8() **Enc",
            "func Free(enc *Enc)"
        ]
    );
    // That is another size.
    let ran = inspect(dir, &header.replace("const Enc *const", "const uint16_t"));
    let found: serde_json::Value = serde_json::from_str(&ran.success().stdout).unwrap();
    let exports = found["exports"].as_array().unwrap();
    let told = exports.iter().find(|e| e["symbol"] == "UTF8").unwrap();
    assert_eq!(
        told["unsupported"][0],
        "`UTF8` has 8 bytes in the library and 2 in the header"
    );
}
