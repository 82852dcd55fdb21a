//! From a started child to a worker with its ticket.

use std::{
    io::{self, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::fd::{BorrowedFd, OwnedFd},
    panic::{AssertUnwindSafe, catch_unwind},
    process,
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::{Errno, FdFlags, fcntl_dupfd_cloexec, fcntl_setfd},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
    stdio::{dup2_stdin, stdin},
};

use super::{ControlSender, group, lifeline, lifeline::Tied, system, worker};
use crate::process::{
    messages::{Header, HeaderError, MAX_DESCRIPTORS},
    socket::{CLOSED_ON_ARRIVAL, is_unix_stream, receive_flags},
};

/// What a worker is told to do.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) bytes: Vec<u8>,
    /// In the order of the launch, without the first connection.
    #[cfg_attr(not(test), expect(dead_code, reason = "nothing else is handed over yet"))]
    pub(crate) descriptors: Vec<OwnedFd>,
    pub(crate) name: String,
    pub(crate) control: ControlSender,
    /// Set if the lifeline has no thread yet.
    pub(crate) tied: Option<Tied>,
}

/// Becomes the worker. The marker has been removed, and this is the only thread.
pub(super) fn take_over() -> ! {
    // Unwinding must not reach the C library.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let ticket = accept().unwrap_or_else(|refusal| match refusal {
            // Nobody is left to tell, and nothing has begun.
            Refusal::MasterGone => process::exit(254),
            Refusal::Because(why) => fatal(&why),
        });
        worker::run(ticket)
    }));
    process::exit(101)
}

/// Says why this process cannot be a worker, and ends it.
pub(super) fn fatal(why: &str) -> ! {
    // Not `eprintln!`, which a test harness captures, and which panics if stderr is closed.
    let _ = writeln!(io::stderr(), "rpc-parallel: this process was started as a worker, but cannot be one: {why}");
    process::exit(1)
}

enum Refusal {
    MasterGone,
    Because(String),
}

/// Takes the control socket from descriptor 0 and reads the ticket from it.
fn accept() -> Result<Ticket, Refusal> {
    let Opening { header, mut descriptors, mut read } = read_opening(stdin())?;
    let control = take_stdin().map_err(|error| because("cannot move its control socket", &error))?;
    let leash = if header.flags.leashed { descriptors.pop() } else { None };
    let mut descriptors = descriptors.into_iter();
    let control = ControlSender::new(control, descriptors.next());
    control.hello().map_err(|_| Refusal::MasterGone)?;
    if !header.flags.survive {
        system::wake_at_parents_death();
    }
    group::watch_over();

    let name_length = usize::from(header.name);
    // The limits were checked with the header.
    let length = name_length + header.ticket as usize;
    if read.try_reserve_exact(length.saturating_sub(read.len())).is_err() {
        return Err(Refusal::Because(format!("there is no memory for its ticket of {} bytes", header.ticket)));
    }
    // What the master has said since is for the lifeline.
    let later = read.split_off(length.min(read.len()));
    let missing = (length - read.len()) as u64;
    match control.socket().take(missing).read_to_end(&mut read) {
        Ok(more) if more as u64 == missing => {}
        _ => return Err(Refusal::MasterGone),
    }
    let bytes = read.split_off(name_length);
    let name = String::from_utf8_lossy(&read).into_owned();
    system::set_process_name(&name);
    let tied = lifeline::start(&control, header.parent, header.flags, &later, leash)
        .map_err(|error| because("cannot start its lifeline thread", &error))?;
    Ok(Ticket { bytes, descriptors: descriptors.collect(), name, control, tied })
}

/// Moves the socket away from descriptor 0, where every child of this process would inherit it, and where a handler that
/// reads stdin would eat our messages.
fn take_stdin() -> io::Result<OwnedFd> {
    let control = fcntl_dupfd_cloexec(stdin(), 3)?;
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    Ok(control)
}

/// What was there when the child looked.
struct Opening {
    header: Header,
    descriptors: Vec<OwnedFd>,
    /// What came behind the header, which usually is all there is.
    read: Vec<u8>,
}

/// Reads the header, the descriptors that come with its first byte, and what is there already of the rest.
fn read_opening(control: BorrowedFd<'_>) -> Result<Opening, Refusal> {
    let mut bytes = [0; OPENING];
    let mut descriptors = Vec::new();
    let mut read = 0;
    // It is there before the child is. So what cannot be read at once is looked at before it is waited for.
    let mut flags = receive_flags() | RecvFlags::DONTWAIT;
    while read < Header::SIZE {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(&mut bytes[read..])];
        match recvmsg(control, &mut into, &mut ancillary, flags) {
            Ok(message) if message.bytes > 0 => read += message.bytes,
            Err(Errno::INTR) => {}
            _ if !is_unix_stream(control) => return Err(not_ours()),
            Err(Errno::AGAIN) if flags.contains(RecvFlags::DONTWAIT) => flags = receive_flags(),
            _ => return Err(Refusal::MasterGone),
        }
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                descriptors.extend(fds);
            }
        }
    }
    let mut header = [0; Header::SIZE];
    header.copy_from_slice(&bytes[..Header::SIZE]);
    let header = match Header::decode(&header) {
        Ok(header) => header,
        Err(HeaderError::Magic) if !is_unix_stream(control) => return Err(not_ours()),
        Err(error) => return Err(Refusal::Because(error.to_string())),
    };
    if descriptors.len() != usize::from(header.descriptors) {
        // The kernel drops what does not fit under the limit of open files.
        let (got, sent) = (descriptors.len(), header.descriptors);
        return Err(Refusal::Because(format!("only {got} of {sent} descriptors arrived; is RLIMIT_NOFILE too low?")));
    }
    if !CLOSED_ON_ARRIVAL {
        for descriptor in &descriptors {
            fcntl_setfd(descriptor, FdFlags::CLOEXEC)
                .map_err(|error| because("a descriptor is bad", &error.into()))?;
        }
    }
    Ok(Opening { header, descriptors, read: bytes[Header::SIZE..read].to_vec() })
}

/// Enough for a header, a name and a ticket of the usual sizes.
const OPENING: usize = 1 << 10;

fn not_ours() -> Refusal {
    Refusal::Because(
        "descriptor 0 is not its control socket; is RPC_PARALLEL_WORKER set by hand, or did a wrapper replace stdin?"
            .into(),
    )
}

fn because(what: &str, error: &io::Error) -> Refusal {
    Refusal::Because(format!("{what}: {error}"))
}
