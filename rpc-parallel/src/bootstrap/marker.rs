//! The variable that marks a child of ours.

use std::env;

use crate::process::entry::MARKER;

pub(super) fn is_set() -> bool {
    env::var_os(MARKER).is_some()
}

/// Takes the marker out of the environment, so that no other program that this process starts believes that it is meant.
///
/// # Safety
///
/// No other thread may read or write the environment meanwhile.
pub(super) unsafe fn remove() {
    // SAFETY: as our caller promises.
    unsafe { env::remove_var(MARKER) };
}
