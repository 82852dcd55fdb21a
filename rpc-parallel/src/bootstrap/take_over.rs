//! From a started child to a worker with its ticket.

use std::{
    io::{self, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::fd::OwnedFd,
    panic::{AssertUnwindSafe, catch_unwind},
    process,
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, recvmsg},
    stdio::{dup2_stdin, stdin},
};

use super::{ControlSender, group, lifeline, system, worker};
use crate::process::{
    messages::{Header, MAX_DESCRIPTORS},
    socket::{is_unix_stream, receive_flags},
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
    if !is_unix_stream(stdin()) {
        return Err(Refusal::Because(
            "descriptor 0 is not its control socket; is RPC_PARALLEL_WORKER set by hand, or did a wrapper replace stdin?"
                .into(),
        ));
    }
    let control = take_stdin().map_err(|error| because("cannot move its control socket", &error))?;
    let (header, descriptors) = read_header(&control)?;
    let mut descriptors = descriptors.into_iter();
    let control = ControlSender::new(control, descriptors.next());
    control.hello().map_err(|_| Refusal::MasterGone)?;
    if !header.flags.survive {
        system::wake_at_parents_death();
    }
    let parent = system::Parent::watch(header.parent);
    group::watch_over();

    let mut name = vec![0; usize::from(header.name)];
    control.read_exact(&mut name).map_err(|_| Refusal::MasterGone)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    system::set_process_name(&name);

    let mut bytes = Vec::new();
    // The limit was checked with the header.
    if bytes.try_reserve_exact(header.ticket as usize).is_err() {
        return Err(Refusal::Because(format!("there is no memory for its ticket of {} bytes", header.ticket)));
    }
    match control.socket().take(header.ticket).read_to_end(&mut bytes) {
        Ok(read) if read as u64 == header.ticket => {}
        _ => return Err(Refusal::MasterGone),
    }
    lifeline::start(control.clone(), parent, header.flags, None)
        .map_err(|error| because("cannot start its lifeline thread", &error))?;
    Ok(Ticket { bytes, descriptors: descriptors.collect(), name, control })
}

/// Moves the socket away from descriptor 0, where every child of this process would inherit it, and where a handler that
/// reads stdin would eat our messages.
fn take_stdin() -> io::Result<OwnedFd> {
    let control = fcntl_dupfd_cloexec(stdin(), 3)?;
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    Ok(control)
}

/// Reads the header, and the descriptors that come with its first byte.
fn read_header(control: &OwnedFd) -> Result<(Header, Vec<OwnedFd>), Refusal> {
    let mut header = [0; Header::SIZE];
    let mut descriptors = Vec::new();
    let mut read = 0;
    while read < header.len() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(&mut header[read..])];
        match recvmsg(control, &mut into, &mut ancillary, receive_flags()) {
            Ok(message) if message.bytes == 0 => return Err(Refusal::MasterGone),
            Ok(message) => read += message.bytes,
            Err(error) if io::Error::from(error).kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Refusal::MasterGone),
        }
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                descriptors.extend(fds);
            }
        }
    }
    let header = Header::decode(&header).map_err(|error| Refusal::Because(error.to_string()))?;
    if descriptors.len() != usize::from(header.descriptors) {
        // The kernel drops what does not fit under the limit of open files.
        let (got, sent) = (descriptors.len(), header.descriptors);
        return Err(Refusal::Because(format!("only {got} of {sent} descriptors arrived; is RLIMIT_NOFILE too low?")));
    }
    for descriptor in &descriptors {
        // They have it from `receive_flags` where the system can.
        fcntl_setfd(descriptor, FdFlags::CLOEXEC).map_err(|error| because("a descriptor is bad", &error.into()))?;
    }
    Ok((header, descriptors))
}

fn because(what: &str, error: &io::Error) -> Refusal {
    Refusal::Because(format!("{what}: {error}"))
}
