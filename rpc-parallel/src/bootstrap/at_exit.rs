//! What a worker does last.

/// Has a function called when this process exits in whatever orderly way, `std::process::exit` by anyone included.
pub(super) fn call(function: extern "C" fn()) {
    // SAFETY: `atexit` takes any function that does not unwind, which an `extern "C"` one cannot. If there is no room for
    // it, it is not called; nothing relies on it for more than the race that its caller names.
    unsafe { libc::atexit(function) };
}
