//! One child: started, watched until its death, reaped.

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Launch, LaunchError, NotAWorker, OnMasterLoss, Process, Stderr, Step, TimedOut,
    channel::{Channel, Event},
    entry::MARKER,
    executable::missing_directory,
    handle::{Links, Wish},
    keeper::Request,
    launch::Launched,
    messages::{Flags, Header, Kind},
    redirect::Output,
    socket::{pair, send_with_descriptors},
    stderr::{Relay, StderrPipe},
    watch::{ExitWatch, State},
};
use crate::{DeathReport, Exit};

/// How long a child that closed its control socket before it was ready has to die by itself: descriptors are closed
/// just before the death can be seen, and its exit code tells more than our SIGKILL.
const CLOSED_GRACE: Duration = Duration::from_millis(100);
/// How long a child that said why it failed has to end by itself.
const FAILED_GRACE: Duration = Duration::from_secs(1);
/// How long the reply of a failed start waits for the death of the child: one that sits in an uninterruptible call of
/// the kernel does not die from SIGKILL.
const DEATH_GRACE: Duration = Duration::from_secs(2);
/// How long a dead child's stderr is read: a process that it left may hold the pipe open.
const DRAIN: Duration = Duration::from_millis(200);

/// Starts a child; a task of its own does the rest.
pub(super) fn start(request: Request, relay: &Relay) {
    let Request { launch, stdout, stderr, host, reply } = request;
    match spawn(launch, stdout, stderr, host, relay) {
        Ok(kept) => drop(tokio::spawn(kept.keep(reply))),
        Err(error) => drop(reply.send(Err(error))),
    }
}

/// Everything that may fail is done before the process exists.
fn spawn(
    mut launch: Launch,
    stdout: Output,
    stderr: Option<Output>,
    host: String,
    relay: &Relay,
) -> Result<Kept, LaunchError> {
    let failed = |what: &str, error| LaunchError::NotStarted { what: what.to_owned(), error };
    let program = launch.program.path().map_err(|error| failed("a copy of this program", error))?;
    let flags = Flags {
        survive: launch.on_master_loss == OnMasterLoss::Survive,
        stdout_of_master: stdout.is_ours(),
        stderr_of_master: stderr.as_ref().is_none_or(Output::is_ours),
    };
    let (control, its_control) =
        open_control(&mut launch, flags).map_err(|error| failed("its control socket", error))?;
    let (stderr, its_stderr) = match stderr {
        Some(output) => (None, Stdio::from(output)),
        None => {
            let relay = (launch.stderr == Stderr::Relay).then(|| relay.clone());
            let (pipe, end) =
                open_stderr(&launch.name, relay).map_err(|error| failed("the pipe for its stderr", error))?;
            (Some(pipe), end)
        }
    };

    // What std spawns this way goes through posix_spawn, which copies no page tables: nothing here may need a fork.
    let mut command = Command::new(&program);
    command
        .arg0(launch.program.arg0())
        .args(&launch.args)
        .args(["rpc-parallel-worker", &format!("child-of-{}@{host}", std::process::id()), &launch.name])
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .env(MARKER, "1")
        .process_group(0)
        .stdin(its_control)
        .stdout(stdout)
        .stderr(its_stderr);
    if let Some(directory) = &launch.current_dir {
        command.current_dir(directory);
    }
    let child = command.spawn().map_err(|error| match missing_directory(launch.current_dir.as_deref()) {
        Some((path, error)) => failed(&format!("it in {}", path.display()), error),
        None => failed(&program.display().to_string(), error),
    })?;
    // The command holds the child's ends of the socket and the pipe.
    drop(command);

    let pid = Pid::from_child(&child);
    let (process, links) = Process::new(launch.name, child.id(), host);
    Ok(Kept {
        pid,
        watch: ExitWatch::new(pid),
        child,
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

/// Makes the control socket and sends its header, so that it is there before the child is.
fn open_control(launch: &mut Launch, flags: Flags) -> io::Result<(Channel, OwnedFd)> {
    let (ours, theirs) = pair()?;
    let header = Header {
        flags,
        descriptors: launch.descriptors.len() as u16,
        parent: std::process::id(),
        name: launch.name.len() as u16,
        ticket: launch.ticket.len() as u64,
    };
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(launch.name.as_bytes());
    // An empty socket takes these few bytes at once.
    if send_with_descriptors(ours.as_fd(), &bytes, &launch.descriptors)? != bytes.len() {
        return Err(io::Error::other("it took only a part of the header"));
    }
    launch.descriptors.clear();
    Ok((Channel::new(ours, std::mem::take(&mut launch.ticket))?, theirs))
}

fn open_stderr(name: &str, relay: Option<Relay>) -> io::Result<(StderrPipe, Stdio)> {
    let (ours, theirs) = io::pipe()?;
    Ok((StderrPipe::new(ours.into(), name, relay)?, theirs.into()))
}

/// A child that lives.
struct Kept {
    pid: Pid,
    child: Child,
    watch: ExitWatch,
    control: Channel,
    stderr: Option<StderrPipe>,
    process: Process,
    links: Links,
    born: Instant,
    start_timeout: Duration,
    grace: Duration,
    program: String,
}

/// What is known of a child's start.
struct Progress {
    /// Who waits for it; nobody once it was answered.
    reply: Option<oneshot::Sender<Result<Launched, LaunchError>>>,
    hello: bool,
    /// The child closed the control socket.
    closed: bool,
    failed: Option<Vec<u8>>,
    timed_out: Option<Step>,
    kill_at: Option<Instant>,
    answer_by: Option<Instant>,
}

impl Kept {
    async fn keep(mut self, reply: oneshot::Sender<Result<Launched, LaunchError>>) {
        let mut progress = Progress {
            reply: Some(reply),
            hello: false,
            closed: false,
            failed: None,
            timed_out: None,
            kill_at: self.born.checked_add(self.start_timeout),
            answer_by: None,
        };
        self.live(&mut progress).await;
        let exit = self.reap();
        while let Some(Event::Message(message)) = self.control.next_now().await {
            self.receive(message.kind, message.bytes, &mut progress);
        }
        if let Some(stderr) = &mut self.stderr {
            let _ = timeout(DRAIN, async { while stderr.pump().await {} }).await;
        }
        let report = self.report(exit);
        let answer = progress.reply.take().map(|reply| (reply, self.refusal(Some(&report), &mut progress)));
        // Whoever learns of the death finds nothing of the child left: all its descriptors are closed before.
        let Links { death, .. } = self.close();
        death.send_replace(Some(report));
        if let Some((reply, error)) = answer {
            let _ = reply.send(Err(error));
        }
    }

    /// Drops all but what outlives the child.
    fn close(self) -> Links {
        self.links
    }

    /// Until the child is a zombie.
    async fn live(&mut self, progress: &mut Progress) {
        let mut wishes = true;
        let mut stderr_open = self.stderr.is_some();
        loop {
            tokio::select! {
                () = self.watch.ended() => match self.watch.look() {
                    // Its tracer sees the death first.
                    State::Running => sleep(Duration::from_millis(1)).await,
                    State::Zombie | State::Gone => return,
                },
                event = self.control.next(), if !progress.closed => match event {
                    Event::Message(message) => self.receive(message.kind, message.bytes, progress),
                    Event::Closed => {
                        progress.closed = true;
                        if self.watch.look() != State::Running {
                            return;
                        }
                        if progress.reply.is_some() {
                            progress.kill_in(CLOSED_GRACE);
                        }
                    }
                },
                open = pump(&mut self.stderr), if stderr_open => stderr_open = open,
                changed = self.links.wish.changed(), if wishes => match changed {
                    Ok(()) => self.grant(progress),
                    Err(_) => wishes = false,
                },
                () = abandoned(&mut progress.reply), if progress.reply.is_some() => {
                    progress.reply = None;
                    self.kill();
                }
                () = at(progress.kill_at), if progress.kill_at.is_some() => {
                    progress.kill_at = None;
                    self.time_out(progress);
                }
                () = at(progress.answer_by), if progress.answer_by.is_some() => {
                    progress.answer_by = None;
                    if let Some(reply) = progress.reply.take() {
                        let _ = reply.send(Err(self.refusal(None, progress)));
                    }
                }
            }
        }
    }

    fn receive(&mut self, kind: Kind, bytes: Vec<u8>, progress: &mut Progress) {
        match kind {
            Kind::Hello => progress.hello = true,
            Kind::Ready => {
                if let Some(reply) = progress.reply.take() {
                    progress.kill_at = None;
                    // If nobody waits any longer, what comes back is dropped, and that kills the child.
                    let _ = reply.send(Ok(Launched::new(self.process.clone(), bytes)));
                }
            }
            Kind::Failed => {
                if progress.reply.is_some() {
                    progress.failed = Some(bytes);
                    progress.kill_in(FAILED_GRACE);
                }
            }
            Kind::Note => drop(self.links.notes.try_send(bytes)),
            Kind::Shutdown => {}
        }
    }

    fn grant(&mut self, progress: &mut Progress) {
        let wish = *self.links.wish.borrow_and_update();
        match wish {
            Wish::Live => {}
            Wish::Shutdown => {
                self.control.send(Kind::Shutdown);
                progress.kill_at = Instant::now().checked_add(self.grace);
            }
            Wish::Kill => self.kill(),
        }
    }

    fn time_out(&mut self, progress: &mut Progress) {
        if progress.reply.is_some() {
            progress.answer_by = Instant::now().checked_add(DEATH_GRACE);
            if progress.failed.is_none() && !progress.closed {
                progress.timed_out = Some(self.step(progress));
            }
        }
        self.kill();
    }

    fn step(&self, progress: &Progress) -> Step {
        match (progress.hello, self.control.ticket_sent()) {
            (false, _) => Step::Entry,
            (true, false) => Step::Ticket,
            (true, true) => Step::Ready,
        }
    }

    /// Kills the child and its process group.
    ///
    /// Only this task reaps the child, so the pid is still its own; unless someone else in this process did, and then
    /// nothing is left to kill.
    fn kill(&self) {
        if self.watch.look() != State::Gone {
            let _ = kill_process_group(self.pid, Signal::KILL);
            // It may have moved to another group.
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }

    /// Ends the plain processes that the child left in its group, while it is a zombie and the group's number cannot
    /// be another's; then reaps it.
    fn reap(&mut self) -> Option<Exit> {
        if self.watch.look() == State::Zombie {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
        self.child.wait().ok().map(exit)
    }

    fn report(&self, exit: Option<Exit>) -> DeathReport {
        let mut stderr = self.tail();
        if exit.is_none() {
            stderr.push(
                "[rpc-parallel: something else in the master took its exit status, or SIGCHLD is ignored]".into(),
            );
        }
        let (name, host) = (self.process.name().to_owned(), self.process.host().to_owned());
        let exit = exit.unwrap_or(Exit::Code(-1));
        DeathReport::new(name, self.process.pid(), host, exit, stderr, self.born.elapsed())
    }

    fn tail(&self) -> Vec<String> {
        self.stderr.as_ref().map(StderrPipe::tail).unwrap_or_default()
    }

    /// Why the start failed. Without a report the child lives, although it was killed.
    fn refusal(&self, report: Option<&DeathReport>, progress: &mut Progress) -> LaunchError {
        let not_a_worker = |exit| {
            let (program, stderr) = (self.program.clone(), self.tail());
            LaunchError::NotAWorker(Box::new(NotAWorker { program, exit, stderr }))
        };
        let timed_out = |step| {
            let (name, after, stderr) = (self.process.name().to_owned(), self.start_timeout, self.tail());
            LaunchError::TimedOut(Box::new(TimedOut { name, after, step, stderr }))
        };
        let killed = progress.answer_by.is_some();
        match (progress.failed.take(), progress.timed_out, report) {
            (Some(failed), _, _) => LaunchError::Failed(failed),
            (None, Some(step), _) => timed_out(step),
            (None, None, Some(report)) if progress.hello => LaunchError::Died(report.clone()),
            (None, None, Some(report)) => not_a_worker(Some(report.exit).filter(|_| !killed)),
            (None, None, None) if progress.hello => timed_out(self.step(progress)),
            (None, None, None) => not_a_worker(None),
        }
    }
}

impl Progress {
    fn kill_in(&mut self, grace: Duration) {
        let at = Instant::now() + grace;
        self.kill_at = Some(self.kill_at.map_or(at, |before| before.min(at)));
    }
}

async fn pump(stderr: &mut Option<StderrPipe>) -> bool {
    match stderr {
        Some(stderr) => stderr.pump().await,
        None => false,
    }
}

async fn abandoned(reply: &mut Option<oneshot::Sender<Result<Launched, LaunchError>>>) {
    match reply {
        Some(reply) => reply.closed().await,
        None => std::future::pending().await,
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal { signal, core_dumped: status.core_dumped() },
        (None, None) => Exit::Code(-1),
    }
}
