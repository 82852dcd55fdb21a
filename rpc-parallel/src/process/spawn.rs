//! From a request to a child that runs.

use std::{
    ffi::OsString,
    io,
    os::fd::{AsFd, OwnedFd},
};

use tokio::time::Instant;

use super::{
    Launch, LaunchError, OnMasterLoss, Process, Stderr,
    channel::Channel,
    child::Kept,
    entry::MARKER,
    exec::{Exec, Executed},
    executable::missing_directory,
    handle::Links,
    keeper::Keeper,
    messages::{Flags, Header},
    redirect::Output,
    request::Request,
    sleeper,
    socket::{pair, send_with_descriptors},
    stderr::{Relay, StderrPipe},
    watch::{self, ExitWatch},
};

/// Starts a child, on this thread: a hop to the keeper's would be to a CPU that sleeps, and takes longer than the start
/// itself. A task of the keeper does the rest.
pub(super) fn start(request: Request, keeper: &Keeper) -> Result<(), LaunchError> {
    let Request { mut launch, first, stdout, stderr, process, links, refusal } = request;
    launch.descriptors.insert(0, first);
    let _entered = keeper.runtime.enter();
    let kept = spawn(launch, stdout, stderr, (process, links), keeper)?;
    if let Some(due) = kept.start_by() {
        keeper.prepare_timer(due);
    }
    // The keeper has nothing to do before the child says, does or fails to do something.
    sleeper::start(&keeper.runtime, Box::pin(kept.keep(refusal)));
    Ok(())
}

/// Everything that may fail is done before the process exists.
fn spawn(
    mut launch: Launch,
    stdout: Output,
    stderr: Option<Output>,
    (process, links): (Process, Links),
    keeper: &Keeper,
) -> Result<Kept, LaunchError> {
    let failed = |what: &str, error| LaunchError::NotStarted { what: what.to_owned(), error };
    let program = launch.program.path().map_err(|error| failed("a copy of this program", error))?;
    let survive = launch.on_master_loss == OnMasterLoss::Survive;
    let leash = keeper.leash.as_ref().filter(|_| !survive).and_then(|leash| leash.end());
    let flags = Flags {
        survive,
        leashed: leash.is_some(),
        stdout_of_master: stdout.is_ours(),
        stderr_of_master: stderr.as_ref().is_none_or(Output::is_ours),
    };
    launch.descriptors.extend(leash);
    let (control, its_control) =
        open_control(&mut launch, flags).map_err(|error| failed("its control socket", error))?;
    let (stderr, its_stderr) = match stderr {
        Some(output) => (None, output),
        None => {
            let relay = (launch.stderr == Stderr::Relay).then(|| keeper.relay.clone());
            let (pipe, end) =
                open_stderr(&launch.name, relay).map_err(|error| failed("the pipe for its stderr", error))?;
            (Some(pipe), end)
        }
    };

    let own_args = ["rpc-parallel-worker".into(), format!("child-of-{}@{}", std::process::id(), process.host())];
    let mut args = std::mem::take(&mut launch.args);
    args.extend(own_args.into_iter().chain([launch.name.clone()]).map(OsString::from));
    let mut env = std::mem::take(&mut launch.env);
    env.push((MARKER.into(), "1".into()));
    let exec = Exec {
        program: program.clone(),
        arg0: launch.program.arg0(),
        args,
        env,
        directory: launch.current_dir.clone(),
        stdin: its_control,
        stdout,
        stderr: its_stderr,
    };
    let Executed { pid, pidfd } =
        exec.start().map_err(|error| match missing_directory(launch.current_dir.as_deref()) {
            Some((path, error)) => failed(&format!("it in {}", path.display()), error),
            None => failed(&program.display().to_string(), error),
        })?;
    process.set_pid(pid.as_raw_nonzero().get().unsigned_abs());
    Ok(Kept {
        pid,
        watch: ExitWatch::new(pid, pidfd),
        control,
        stderr,
        process,
        links,
        born: Instant::now(),
        start_timeout: launch.start_timeout,
        grace: launch.grace,
        program: program.display().to_string(),
    })
}

/// Makes the control socket and sends its header and, if it is not large, the ticket, so that they are there before the
/// child is.
fn open_control(launch: &mut Launch, flags: Flags) -> io::Result<(Channel, OwnedFd)> {
    let (ours, theirs) = pair()?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    let header = Header {
        flags,
        descriptors: launch.descriptors.len() as u16,
        parent: std::process::id(),
        name: launch.name.len() as u16,
        ticket: launch.ticket.len() as u64,
    };
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(launch.name.as_bytes());
    let head = bytes.len();
    if launch.ticket.len() <= SMALL_TICKET {
        bytes.extend_from_slice(&launch.ticket);
    }
    // An empty socket takes these few bytes at once.
    let sent = send_with_descriptors(ours.as_fd(), &bytes, &launch.descriptors)?;
    let Some(ticket_sent) = sent.checked_sub(head) else {
        return Err(io::Error::other("it took only a part of the header"));
    };
    launch.descriptors.clear();
    let channel = Channel::new(ours, std::mem::take(&mut launch.ticket), ticket_sent)?;
    // Where a death is not told at once, the end of this socket tells of it.
    let channel = if watch::tells_at_once() { channel } else { channel.watch()? };
    Ok((channel, theirs))
}

/// A ticket of this size goes with the header: far less than what a socket holds.
const SMALL_TICKET: usize = 8 << 10;

fn open_stderr(name: &str, relay: Option<Relay>) -> io::Result<(StderrPipe, Output)> {
    let (ours, theirs) = io::pipe()?;
    Ok((StderrPipe::new(ours.into(), name, relay)?, Output::File(OwnedFd::from(theirs).into())))
}
