//! The CPUs of this machine.

/// How many are online, whichever of them this process is bound to. 1 if that is not known.
pub(crate) fn online() -> usize {
    // SAFETY: sysconf has no preconditions.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(count).unwrap_or(0).max(1)
}
