//! CPU time of this process and its workers, and their memory.

use rustix::{
    io::Errno,
    process::{WaitId, WaitIdOptions, waitid},
    time::{ClockId, clock_gettime},
};

/// CPU seconds of this process and of these others, which are alive.
pub(crate) fn spent(workers: &[u32]) -> f64 {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    let own = own.tv_sec as f64 + own.tv_nsec as f64 * 1e-9;
    own + workers.iter().map(|&pid| of_process(pid)).sum::<f64>()
}

fn of_process(pid: u32) -> f64 {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both only write to the place that is given, which is of the right type.
    let ok = unsafe {
        libc::clock_getcpuclockid(pid as libc::pid_t, &raw mut clock) == 0
            && libc::clock_gettime(clock, &raw mut time) == 0
    };
    if ok { time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9 } else { f64::NAN }
}

/// CPU seconds of this process and of all its children that have ended and been waited for.
pub(crate) fn spent_with_children() -> f64 {
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN]
        .into_iter()
        .map(|who| {
            // SAFETY: a `rusage` is plain numbers, and `getrusage` only writes to it.
            let usage = unsafe {
                let mut usage: libc::rusage = std::mem::zeroed();
                libc::getrusage(who, &raw mut usage);
                usage
            };
            let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
            seconds(usage.ru_utime) + seconds(usage.ru_stime)
        })
        .sum()
}

/// Whether this process has a child, be it one that nobody has waited for yet.
pub(crate) fn has_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, options), Err(Errno::CHILD))
}

/// Gives way to others while somebody waits for the end of a child.
///
/// Nobody sleeps meanwhile: whoever ends its worker by itself, and waits for it, starts the next one on a CPU that is awake,
/// with warm caches, which makes a third of a start. So must all others, or they are measured on a colder machine. The CPU
/// time that this takes is counted, to the disadvantage of those whose workers end by themselves.
pub(crate) fn give_way() {
    std::thread::yield_now();
}

/// The resident memory of a process, in KiB.
pub(crate) fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the worker lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel tells the memory");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number of KiB")
}
