//! Which CPUs the two processes may use: it matters more than anything else.

use std::fmt;

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

/// Where the caller and its workers run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Placement {
    /// All on one CPU.
    OneCpu,
    /// The caller, with all its threads, on one CPU, the workers on another one.
    Apart,
    /// Wherever the system puts them.
    Free,
}

impl Placement {
    pub(crate) const ALL: [Self; 3] = [Self::OneCpu, Self::Apart, Self::Free];

    /// Pins this process as the side that calls, and tells where a worker has to pin itself. What a pinned process
    /// starts is pinned to the same CPU, so that a worker has something to do only where that is not its place.
    ///
    /// To be called before there are other threads.
    pub(crate) fn pin_caller(self) -> Option<usize> {
        let allowed = sched_getaffinity(None).expect("the CPUs of this process are known");
        let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
        let (first, second) = (cpus.next().unwrap_or(0), cpus.next());
        match self {
            Self::OneCpu => {
                pin(first);
                None
            }
            Self::Apart => {
                pin(first);
                Some(second.expect("a CPU each needs two CPUs"))
            }
            Self::Free => None,
        }
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::OneCpu => "one-cpu",
            Self::Apart => "apart",
            Self::Free => "free",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneCpu => "one CPU",
            Self::Apart => "a CPU each",
            Self::Free => "not pinned",
        })
    }
}

/// Pins all threads of this process to one CPU.
pub(crate) fn pin(cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu);
    let threads = std::fs::read_dir("/proc/self/task").expect("a process sees its own threads");
    for thread in threads.flatten() {
        let id = thread.file_name().to_string_lossy().parse().ok().and_then(Pid::from_raw);
        sched_setaffinity(id, &set).expect("a thread can be pinned");
    }
}
