//! Which CPUs the two processes may use: it matters more than anything else.

use std::fmt;

use rustix::thread::{CpuSet, sched_setaffinity};

/// Where the caller and the worker run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Placement {
    /// Both on one CPU.
    OneCpu,
    /// A CPU each.
    Apart,
}

impl Placement {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OneCpu, Self::Apart];

    /// Pins the calling thread, and what it starts from now on, as the side that calls.
    pub fn pin_caller(self) {
        pin(0);
    }

    /// The index of the CPU for the other side.
    pub fn other(self) -> usize {
        match self {
            Self::OneCpu => 0,
            Self::Apart => 1,
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneCpu => "one CPU",
            Self::Apart => "a CPU each",
        })
    }
}

/// Pins all threads of this process to the CPU with this number.
pub fn pin(index: usize) {
    let mut set = CpuSet::new();
    set.set(index);
    apply(&set);
}

/// Lets this process use the two CPUs of the measurements again.
pub fn pin_both() {
    let mut set = CpuSet::new();
    set.set(0);
    set.set(1);
    apply(&set);
}

fn apply(set: &CpuSet) {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return };
    for thread in threads.flatten() {
        let id = thread.file_name().to_string_lossy().parse().ok().and_then(rustix::thread::Pid::from_raw);
        let _ = sched_setaffinity(id, set);
    }
}
