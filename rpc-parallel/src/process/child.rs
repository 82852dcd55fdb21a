//! One child: watched until its death, and reaped.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid},
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    LaunchError, NotAWorker, Process, Step, TimedOut,
    channel::{Channel, Event},
    handle::{Links, Wish},
    messages::Kind,
    stderr::StderrPipe,
    watch::{ExitWatch, State},
};
use crate::{DeathReport, Exit};

/// How long a child that closed its first connection before it was ready has to die by itself: descriptors are closed
/// just before the death can be seen, and its exit code tells more than our SIGKILL.
const CLOSED_GRACE: Duration = Duration::from_millis(100);
/// How long a child that said why it failed has to end by itself.
const FAILED_GRACE: Duration = Duration::from_secs(1);
/// How long the reply of a failed start waits for the death of the child: one that sits in an uninterruptible call of
/// the kernel does not die from SIGKILL.
const DEATH_GRACE: Duration = Duration::from_secs(2);
/// How long a dead child's stderr is read: a process that it left may hold the pipe open.
const DRAIN: Duration = Duration::from_millis(200);

/// A child that lives.
pub(super) struct Kept {
    pub(super) pid: Pid,
    pub(super) watch: ExitWatch,
    pub(super) control: Channel,
    pub(super) stderr: Option<StderrPipe>,
    pub(super) process: Process,
    pub(super) links: Links,
    pub(super) born: Instant,
    pub(super) start_timeout: Duration,
    pub(super) grace: Duration,
    pub(super) program: String,
}

/// What is known of a child's start.
struct Progress {
    /// Takes why it failed; nobody once it was answered.
    refusal: Option<oneshot::Sender<LaunchError>>,
    hello: bool,
    /// The child has said here that it is ready. Whoever waits for it hears it elsewhere.
    ready: bool,
    /// The child closed the control socket, or the first connection before it was ready.
    closed: bool,
    /// It was asked to end.
    ending: bool,
    failed: Option<Vec<u8>>,
    timed_out: Option<Step>,
    kill_at: Option<Instant>,
    answer_by: Option<Instant>,
}

impl Kept {
    /// Sees to the child until nothing of it is left.
    pub(super) async fn keep(mut self, refusal: oneshot::Sender<LaunchError>) {
        let mut progress = Progress {
            refusal: Some(refusal),
            hello: false,
            ready: false,
            closed: false,
            ending: false,
            failed: None,
            timed_out: None,
            kill_at: self.start_by(),
            answer_by: None,
        };
        self.live(&mut progress).await;
        let exit = self.reap();
        self.listen(&mut progress);
        if let Some(stderr) = &mut self.stderr {
            let _ = timeout(DRAIN, async { while stderr.pump().await {} }).await;
        }
        let report = self.report(exit);
        let answer = progress.refusal.take().map(|refusal| (refusal, self.refusal(Some(&report), &mut progress)));
        // Whoever learns of the death finds nothing of the child left: all its descriptors are closed before.
        let Links { death, .. } = self.close();
        death.send_replace(Some(report));
        if let Some((refusal, error)) = answer {
            let _ = refusal.send(error);
        }
    }

    /// Until when the child must be ready.
    pub(super) fn start_by(&self) -> Option<Instant> {
        self.born.checked_add(self.start_timeout)
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
                        if self.is_starting(progress) {
                            progress.kill_in(CLOSED_GRACE);
                        }
                    }
                },
                open = pump(&mut self.stderr), if stderr_open => stderr_open = open,
                changed = self.links.wish.changed(), if wishes => match changed {
                    Ok(()) => self.grant(progress),
                    Err(_) => wishes = false,
                },
                () = at(progress.kill_at), if progress.kill_at.is_some() => {
                    progress.kill_at = None;
                    self.time_out(progress);
                }
                () = at(progress.answer_by), if progress.answer_by.is_some() => {
                    progress.answer_by = None;
                    if let Some(refusal) = progress.refusal.take() {
                        let _ = refusal.send(self.refusal(None, progress));
                    }
                }
            }
        }
    }

    /// Takes what the child has said on the control socket, which nobody had to know before.
    fn listen(&mut self, progress: &mut Progress) {
        while let Some(Event::Message(message)) = self.control.next_now() {
            self.receive(message.kind, message.bytes, progress);
        }
    }

    fn receive(&mut self, kind: Kind, bytes: Vec<u8>, progress: &mut Progress) {
        match kind {
            Kind::Hello => progress.hello = true,
            Kind::Ready => progress.ready = true,
            Kind::Failed => {
                if self.is_starting(progress) {
                    progress.failed = Some(bytes);
                    progress.kill_in(FAILED_GRACE);
                }
            }
            // Of a later version.
            Kind::Note => {}
            Kind::Shutdown => {}
        }
    }

    /// Whether somebody waits for the child to be ready.
    fn is_starting(&self, progress: &Progress) -> bool {
        progress.refusal.is_some() && !progress.ready && !self.process.is_ready()
    }

    fn grant(&mut self, progress: &mut Progress) {
        let wish = *self.links.wish.borrow_and_update();
        match wish {
            Wish::Live => {}
            Wish::Explain => {
                self.listen(progress);
                progress.closed = true;
                if self.is_starting(progress) && progress.failed.is_none() {
                    progress.kill_in(CLOSED_GRACE);
                }
            }
            Wish::Shutdown => {
                self.control.send(Kind::Shutdown);
                progress.ending = true;
                progress.kill_at = Instant::now().checked_add(self.grace);
            }
            Wish::Kill => self.kill(),
        }
    }

    fn time_out(&mut self, progress: &mut Progress) {
        if !progress.ending {
            self.listen(progress);
            if !self.is_starting(progress) {
                // It has been ready for long.
                return;
            }
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
        loop {
            match waitpid(Some(self.pid), WaitOptions::empty()) {
                Ok(Some((_, status))) => return Some(exit(ExitStatus::from_raw(status.as_raw()))),
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return None,
            }
        }
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

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

pub(super) fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal { signal, core_dumped: status.core_dumped() },
        (None, None) => Exit::Code(-1),
    }
}
