//! `_Unwind_*`: the `unwinding` crate over the image's own unwind tables.
//!
//! The crate asks where the FDE of an address is. The linker sorted all of them (`Params::eh_table_offset`), so the answer is a binary
//! search; it is handed over as an `.eh_frame_hdr` with a single entry, built in the lane's control block.
//! An address outside the image has what was registered for it (`frames.rs`), or none: there the stack ends. A wrapper's is the last
//! (`catch.rs`).

use unwinding::custom_eh_frame_finder::{
    EhFrameFinder, FrameInfo, FrameInfoKind, set_custom_eh_frame_finder,
};

use super::frames::{self, Registered};
use crate::image::{base, params};
use crate::lane::{FrameHeader, control};

/// `DW_EH_PE_udata8` and `DW_EH_PE_udata4`, absolute.
const UDATA8: u8 = 0x04;
const UDATA4: u8 = 0x03;

struct Finder;

// SAFETY: what it returns stays as it is until the next call on this thread.
unsafe impl EhFrameFinder for Finder {
    fn find(&self, pc: usize) -> Option<FrameInfo> {
        let image = find_fde(pc).map(|(function, fde)| Registered {
            section: base() + params().eh_frame_offset as usize,
            function,
            fde,
        });
        let Registered {
            section,
            function,
            fde,
        } = image.or_else(|| frames::find(pc))?;
        let header = FrameHeader {
            version: 1,
            frame_encoding: UDATA8,
            count_encoding: UDATA4,
            table_encoding: UDATA8,
            eh_frame: (section as u64).to_ne_bytes(),
            count: 1u32.to_ne_bytes(),
            function: function as u64,
            fde: fde as u64,
        };
        // SAFETY: this lane's own; the unwinder asks for one frame at a time.
        let place = unsafe { &raw mut (*control()).frame };
        // SAFETY: as above.
        unsafe { place.write(header) };
        Some(FrameInfo {
            text_base: Some(base()),
            kind: FrameInfoKind::EhFrameHdr(place as usize),
        })
    }
}

static FINDER: Finder = Finder;

/// Makes the tables known to the unwinder. Called once, after the fix-ups.
pub(crate) fn register() {
    let _ = set_custom_eh_frame_finder(&FINDER);
}

/// The function that `pc` lies in and its FDE.
fn find_fde(pc: usize) -> Option<(usize, usize)> {
    let p = params();
    let offset = pc.wrapping_sub(base());
    if offset as u64 >= p.image_size {
        return None;
    }
    // SAFETY: the linker put that many pairs there.
    let table = unsafe {
        core::slice::from_raw_parts(
            (base() + p.eh_table_offset as usize) as *const [u32; 2],
            p.eh_table_count as usize,
        )
    };
    let after = table.partition_point(|entry| entry[0] as usize <= offset);
    let [function, fde] = *table.get(after.checked_sub(1)?)?;
    let (function, fde) = (base() + function as usize, base() + fde as usize);
    // SAFETY: an FDE of the image.
    let size = unsafe { fde_function_size(fde) }?;
    (pc - function < size).then_some((function, fde))
}

/// Bytes of code that an FDE covers.
///
/// # Safety
/// `fde` is the address of one, well-formed.
unsafe fn fde_function_size(fde: usize) -> Option<usize> {
    use gimli::{BaseAddresses, EhFrame, NativeEndian, UnwindSection};
    let start = base() + params().eh_frame_offset as usize;
    // SAFETY: the image's own section.
    let bytes =
        unsafe { core::slice::from_raw_parts(start as *const u8, params().eh_frame_size as usize) };
    let section = EhFrame::new(bytes, NativeEndian);
    let bases = BaseAddresses::default()
        .set_eh_frame(start as u64)
        .set_text(base() as u64);
    let fde = section
        .fde_from_offset(&bases, (fde - start).into(), EhFrame::cie_from_offset)
        .ok()?;
    Some(fde.len() as usize)
}
