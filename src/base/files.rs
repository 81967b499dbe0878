//! The one place that touches the file system. Whoever reads, looks for or writes a file asks here, so that what a run does to a disk can be read in
//! one file (`tests/layers.rs` holds this true).

use std::fs;
use std::io;
use std::path::Path;

/// The bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

/// The most memory that this process had since [`forget_peak_memory`], or since it began; none where the system does not tell.
pub fn peak_memory() -> Option<u64> {
    // proc_pid_status(5), VmHWM.
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// Has the system begin anew with what [`peak_memory`] gives. Where it does not, the peak is that of the whole run so far.
pub fn forget_peak_memory() {
    // proc_pid_clear_refs(5), 5. That it may fail is told above.
    let _ = fs::write("/proc/self/clear_refs", "5");
}
