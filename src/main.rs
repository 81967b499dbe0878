//! The command `rsyso`: a thin shell around the library of the same name.

fn main() -> std::process::ExitCode {
    rsyso::internals::main()
}
