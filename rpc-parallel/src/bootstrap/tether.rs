//! What ties a worker to its master until its lifeline has a thread.
//!
//! To make a thread takes as much as a twentieth of a whole start. Until there is time for one, the kernel sends a signal
//! when something happens on the control socket, and when the parent ends; who is interrupted by it looks whether the master
//! is gone. The signal is SIGCONT: a worker that is stopped has to run to look, hardly a program blocks it or has a handler
//! of its own, and without one it does nothing.
//!
//! For a program that does block it there is the leash: a pipe that ends when the master does. Its signal is SIGKILL, and goes
//! to the whole process group.

use std::{
    mem::MaybeUninit,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
    sync::atomic::{AtomicI32, Ordering::Relaxed},
};

use libc::c_int;

use super::lifeline;

/// <asm-generic/fcntl.h>; the crate `libc` has it for some C libraries only.
const F_SETSIG: c_int = 10;

/// What the handler looks at.
static CONTROL: AtomicI32 = AtomicI32::new(-1);
/// 0 if another process stands between: then the socket alone tells.
static PARENT: AtomicI32 = AtomicI32::new(0);

/// Ties this process to the other end of this socket, and to its parent if that is the master. False where the kernel does
/// not do it. The socket stays open, and nobody reads its end, for as long as this lasts.
pub(super) fn tie(control: BorrowedFd<'_>, master: u32) -> bool {
    let control = control.as_raw_fd();
    // SAFETY: these calls have no preconditions.
    let (own, parent) = unsafe { (libc::getpid(), libc::getppid()) };
    CONTROL.store(control, Relaxed);
    PARENT.store(if u32::try_from(parent) == Ok(master) { parent } else { 0 }, Relaxed);
    // SAFETY: the action is zero but for what is set here, and `look` may run at any moment. The descriptor is open, and
    // these requests take a number.
    let tied = unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        action.sa_sigaction = look as extern "C" fn(c_int) as usize;
        action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGCONT, &raw const action, ptr::null_mut()) == 0
            && libc::fcntl(control, libc::F_SETOWN, own) != -1
            && libc::fcntl(control, F_SETSIG, libc::SIGCONT) != -1
            && libc::fcntl(control, libc::F_SETFL, libc::O_ASYNC) != -1
    };
    // What happened before tells nobody.
    look(libc::SIGCONT);
    tied
}

/// Has the kernel kill this process and its group, which it must lead, at the end of this pipe, from which nothing is ever read.
/// False where the kernel does not do it. It lasts as long as the pipe is open.
pub(super) fn leash(end: BorrowedFd<'_>) -> bool {
    let end = end.as_raw_fd();
    // SAFETY: the descriptor is open, and these requests take a number. The signal is set before there can be one.
    unsafe {
        let own = libc::getpid();
        libc::getpgrp() == own
            && libc::fcntl(end, F_SETSIG, libc::SIGKILL) != -1
            && libc::fcntl(end, libc::F_SETOWN, -own) != -1
            && libc::fcntl(end, libc::F_SETFL, libc::O_ASYNC | libc::O_NONBLOCK) != -1
    }
}

/// To be called once something else looks after the master.
pub(super) fn untie() {
    let control = CONTROL.load(Relaxed);
    // SAFETY: the descriptor is open, see `tie`. The action is written before it is read, and set back to the default only if
    // nobody has set another one meanwhile.
    unsafe {
        libc::fcntl(control, libc::F_SETFL, 0);
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        if libc::sigaction(libc::SIGCONT, ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == look as extern "C" fn(c_int) as usize
        {
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(libc::SIGCONT, &raw const action, ptr::null_mut());
        }
    }
}

/// Ends this process, and its group, if its master is gone.
extern "C" fn look(_signal: c_int) {
    let (control, parent) = (CONTROL.load(Relaxed), PARENT.load(Relaxed));
    let mut socket = libc::pollfd { fd: control, events: 0, revents: 0 };
    // SAFETY: all that is called here may be called in a signal handler, with `errno` as it was for whoever is interrupted.
    // The place for the answer is valid.
    let gone = unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        libc::poll(&raw mut socket, 1, 0);
        *errno = before;
        // Told also while there is something to read.
        socket.revents & (libc::POLLHUP | libc::POLLERR) != 0 || (parent != 0 && libc::getppid() != parent)
    };
    if gone {
        lifeline::end();
    }
}
