//! The thread by which a worker hangs on its master.
//!
//! It waits for the end of the control socket, which the kernel closes however the master ends. It needs no runtime and
//! shares no lock, so that neither a blocked runtime nor a long computation delays it.

use std::{
    io::{self, Read},
    os::fd::AsFd,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, open},
    process::{Signal, getpid, kill_process},
    stdio::{dup2_stderr, dup2_stdout},
};

use super::{ControlSender, group, system, system::Parent, thread};
use crate::process::messages::{Flags, Kind, Splitter};

/// Something to do now and then on this thread; it says when it wants to be called again.
pub(super) type Tick = Box<dyn FnMut() -> Option<Duration> + Send>;

/// Starts the thread. These bytes are what was `read` from the socket so far and is for it.
pub(super) fn start(
    control: ControlSender,
    parent: Parent,
    flags: Flags,
    read: Vec<u8>,
    tick: Option<Tick>,
) -> io::Result<()> {
    thread::start(move || {
        system::set_thread_name(c"rpc-parallel li");
        hold(&control, &parent, &read, tick);
        if flags.survive { let_go(flags) } else { end() }
    })
}

/// Returns when the master is gone.
fn hold(control: &ControlSender, parent: &Parent, read: &[u8], mut tick: Option<Tick>) {
    let mut incoming = Splitter::default();
    incoming.push(read);
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
        let wait = tick.as_mut().and_then(|tick| tick()).and_then(|wait| Timespec::try_from(wait).ok());
        // Nothing from the heap, see `thread`.
        let socket = control.socket().as_fd();
        let descriptors = [socket, parent.descriptor().unwrap_or(socket)];
        let mut watched = descriptors.map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN));
        if poll(&mut watched, wait.as_ref()).is_err() {
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
fn end() -> ! {
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
