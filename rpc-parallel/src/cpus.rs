//! The CPUs of this machine.

use std::sync::OnceLock;

static ONLINE: OnceLock<usize> = OnceLock::new();

/// How many are online, whichever of them this process is bound to. 1 if that is not known.
pub(crate) fn online() -> usize {
    *ONLINE.get_or_init(|| {
        // SAFETY: sysconf has no preconditions.
        let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
        usize::try_from(count).unwrap_or(0).max(1)
    })
}

/// A worker is told by its spawner: to look costs more than a call, and it would be the first one.
pub(crate) fn set_online(count: usize) {
    // Set already only if this process had to find it out.
    let _ = ONLINE.set(count.max(1));
}
