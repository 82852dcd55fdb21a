//! The worker's process group: itself and the plain processes that it starts, which end with it.
//!
//! The master's keeper ends the group when it reaps the worker, and the lifeline does when the master is gone. Between the
//! two is a worker that exits while its master does, which is what happens at the end of every program that drops its
//! workers last: the lifeline is gone by then, and the keeper too. So a worker that exits ends its group by itself.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process_group, setpgid};

/// Whether this process leads its group. If it does not, the group is someone else's, and would take others along.
static LEADS: AtomicBool = AtomicBool::new(false);

/// To be called before anything else registers an exit handler, so that this one runs last.
pub(super) fn watch_over() {
    if getpgrp() == getpid() {
        LEADS.store(true, Relaxed);
        // SAFETY: `at_exit` calls nothing that may not be called in an exit handler. If there is no memory to register
        // it, the keeper and the lifeline still are there.
        unsafe { libc::atexit(at_exit) };
    }
}

/// Ends everybody in the group, this process included.
pub(super) fn kill() {
    if LEADS.load(Relaxed) {
        // By number: this process may have left the group. The number stays its own as long as it lives.
        let _ = kill_process_group(getpid(), Signal::KILL);
    }
}

/// Leaves the group, so that the exit code survives, and ends those who stay.
extern "C" fn at_exit() {
    let own = getpid();
    // The master's group is the one that is sure to be there. If it is not, nobody is left who would look at the exit
    // code, and this process ends with the others.
    if let Some(masters) = parents_group()
        && masters != own
    {
        let _ = setpgid(None, Some(masters));
    }
    kill();
}

/// The process group of the parent. Not by rustix, which takes 0 for impossible: it is the group of a parent that is in
/// another PID namespace, and pid 1 of a container often has it.
fn parents_group() -> Option<Pid> {
    // SAFETY: these calls have no preconditions.
    Pid::from_raw(unsafe { libc::getpgid(libc::getppid()) }).filter(|group| group.as_raw_nonzero().get() > 0)
}
