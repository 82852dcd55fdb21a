//! The thread by which a worker hangs on its master.
//!
//! It waits for the end of the control socket, which the kernel closes however the master ends. It needs no runtime and
//! shares no lock, so that neither a blocked runtime nor a long computation delays it. Until there is time to start it, the
//! kernel does its work where it can: see `tether`.

use std::{
    io::{self, Read},
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, open},
    process::{Signal, getpid, kill_process},
    stdio::{dup2_stderr, dup2_stdout},
};

use tokio::io::Interest;

use super::{ControlSender, group, system, system::Parent, thread};
use crate::{
    process::messages::{Flags, Kind, Splitter},
    readiness,
};

/// Sees to it that from now on this process ends with its master. These bytes are what was `read` from the socket so far and
/// is for the thread. It may not be there yet: then this gives what is left to do.
pub(super) fn start(
    control: &ControlSender,
    master: u32,
    flags: Flags,
    read: &[u8],
    leash: Option<OwnedFd>,
) -> io::Result<Option<Tied>> {
    // One that survives has no hurry, but output to let go of, with or without a runtime.
    if !flags.survive && read.is_empty() {
        let leash = leash.filter(|leash| system::leash(leash.as_fd()));
        if system::tie(control.socket().as_fd(), master) {
            return Ok(Some(Tied { control: control.clone(), master, flags, leash }));
        }
    }
    start_thread(control.clone(), Parent::watch(master), flags, read)?;
    Ok(None)
}

fn start_thread(control: ControlSender, parent: Parent, flags: Flags, read: &[u8]) -> io::Result<()> {
    let mut incoming = Splitter::default();
    incoming.push(read);
    thread::start(move || {
        system::set_thread_name(c"rpc-parallel li");
        hold(&control, &parent, incoming);
        if flags.survive { let_go(flags) } else { end() }
    })
}

/// A worker that the kernel ties to its master until the thread is there.
#[derive(Debug)]
pub(crate) struct Tied {
    control: ControlSender,
    master: u32,
    flags: Flags,
    /// Closed once the thread is there.
    leash: Option<OwnedFd>,
}

impl Tied {
    /// Whether this process ends with its master whatever it does, so that the thread can wait.
    pub(super) fn is_leashed(&self) -> bool {
        self.leash.is_some()
    }

    /// Starts the thread when there is likely to be time for it, or something to do.
    pub(super) async fn start_thread_later(self) {
        tokio::time::sleep(SOON).await;
        // To watch the socket from the start would take of the time that is to be saved.
        let _ = tokio::time::timeout(LATER, self.asked()).await;
        self.start_thread_at_last().await;
    }

    /// Returns when the master has said something, or cannot be heard.
    async fn asked(&self) -> io::Result<()> {
        let socket = self.control.socket().as_fd().try_clone_to_owned()?;
        readiness::watch(socket, Interest::READABLE)?.readable().await?.retain_ready();
        Ok(())
    }

    /// Starts the thread, and tries again for as long as the system has none to give.
    pub(super) async fn start_thread_at_last(mut self) {
        while self.start_thread().is_err() {
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Starts the thread now.
    pub(crate) fn start_thread(&mut self) -> io::Result<()> {
        start_thread(self.control.clone(), Parent::watch(self.master), self.flags, &[])?;
        system::untie();
        self.leash = None;
        Ok(())
    }
}

/// How long the thread waits after *ready* in any case, which is longer than a first call takes. A request to end waits, too.
const SOON: Duration = Duration::from_millis(20);

/// How much longer it waits if nothing is asked of it: longer than it takes to start some dozen workers at once, none of which is
/// to make its thread while the others wait for their turn.
const LATER: Duration = Duration::from_millis(100);

/// When to try again if the system has no thread to give.
const AGAIN: Duration = Duration::from_secs(1);

/// Returns when the master is gone.
fn hold(control: &ControlSender, parent: &Parent, mut incoming: Splitter) {
    let mut chunk = [0; 256];
    loop {
        loop {
            match incoming.next() {
                Ok(Some(message)) if message.kind == Kind::Shutdown => control.shut_down(),
                Ok(Some(_)) => {}
                Ok(None) => break,
                // A master that talks nonsense is none.
                Err(_) => return,
            }
        }
        // Nothing from the heap, see `thread`.
        let socket = control.socket().as_fd();
        let descriptors = [socket, parent.descriptor().unwrap_or(socket)];
        let mut watched = descriptors.map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN));
        if poll(&mut watched, None).is_err() {
            // Interrupted, or short of memory for a moment. This thread must not end for that, nor spin.
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        // What the master said before it ended comes first.
        if !watched[0].revents().is_empty() {
            match control.socket().read(&mut chunk) {
                Ok(0) => return,
                Ok(read) => incoming.push(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            }
        } else if !watched[1].revents().is_empty() {
            return;
        }
    }
}

/// Ends this process, and the plain processes that it started.
pub(super) fn end() -> ! {
    say("rpc-parallel: the master is gone, so this worker ends\n");
    group::kill();
    loop {
        let _ = kill_process(getpid(), Signal::KILL);
        std::thread::park();
    }
}

/// Lets go of what belonged to the master: a reader that waits for the end of its output would wait for this process.
fn let_go(flags: Flags) {
    let Ok(null) = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) else { return };
    if flags.stdout_of_master {
        let _ = dup2_stdout(&null);
    }
    if flags.stderr_of_master {
        let _ = dup2_stderr(&null);
    }
}

/// Writes a line to stderr if that does not block: nothing may delay the end.
fn say(line: &str) {
    let stderr = io::stderr();
    let mut watched = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec::default();
    if poll(&mut watched, Some(&now)).is_ok_and(|ready| ready > 0) && watched[0].revents() == PollFlags::OUT {
        let _ = rustix::io::write(stderr.as_fd(), line.as_bytes());
    }
}
