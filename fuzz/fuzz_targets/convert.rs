//! Any bytes at all, as an archive or an object: converted or refused, never a panic.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rsyso::internals::base::options::ConvertOptions;
use rsyso::internals::base::report::Silent;

/// In memory, one folder for each process.
static DIR: LazyLock<PathBuf> = LazyLock::new(|| {
    let shm = PathBuf::from("/dev/shm");
    let parent = if shm.is_dir() {
        shm
    } else {
        std::env::temp_dir()
    };
    let dir = parent.join(format!("rsyso-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("out")).expect("a folder for the input");
    dir
});

fuzz_target!(|bytes: &[u8]| {
    let input = DIR.join("libfuzzed.a");
    std::fs::write(&input, bytes).expect("the input can be written");
    let mut options = ConvertOptions::new(vec![input]);
    options.out_dir = DIR.join("out");
    let result = rsyso::internals::convert(&options, &Silent);
    let mut left = std::fs::read_dir(&options.out_dir).expect("the folder is there");
    match result {
        Ok(done) => {
            for file in done.files {
                std::fs::remove_file(options.out_dir.join(file)).expect("a written file is there");
            }
        }
        Err(_) => assert!(left.next().is_none(), "a file was left behind"),
    }
});
