//! Cargo asks for a build script wherever `links` is set, which keeps two versions of this crate out of one build.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
