//! A child as its owners see it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::{DeathReport, Exit};

/// A child. All clones mean the same one; it lives on when all are dropped, see [`OwnedProcess`].
#[derive(Clone)]
pub(crate) struct Process(Arc<Inner>);

struct Inner {
    name: String,
    /// 0 until the process exists.
    pid: AtomicU32,
    host: String,
    /// Whoever launched it knows that it serves.
    ready: AtomicBool,
    wish: watch::Sender<Wish>,
    death: watch::Receiver<Option<DeathReport>>,
}

/// What the owners want of a child. It only grows.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Wish {
    Live,
    /// The end of its first connection was seen before it was ready: what does it say on the control socket?
    Explain,
    Shutdown,
    Kill,
}

/// The keeper's side of a [`Process`].
#[derive(Debug)]
pub(super) struct Links {
    pub(super) wish: watch::Receiver<Wish>,
    pub(super) death: watch::Sender<Option<DeathReport>>,
}

impl Process {
    /// A child that is about to be started.
    pub(super) fn new(name: String, host: String) -> (Self, Links) {
        let (wish, wish_seen) = watch::channel(Wish::Live);
        let (death_known, death) = watch::channel(None);
        let (pid, ready) = (AtomicU32::new(0), AtomicBool::new(false));
        let process = Self(Arc::new(Inner { name, pid, host, ready, wish, death }));
        (process, Links { wish: wish_seen, death: death_known })
    }

    /// Its pid; 0 before it is started, which no process is that [`launch`](super::launch) has returned.
    pub(crate) fn pid(&self) -> u32 {
        self.0.pid.load(Ordering::Acquire)
    }

    pub(super) fn set_pid(&self, pid: u32) {
        self.0.pid.store(pid, Ordering::Release);
    }

    /// Its start is over. The keeper sees it when it looks: to wake it for this would cost more than it knowing.
    pub(super) fn set_ready(&self) {
        self.0.ready.store(true, Ordering::Release);
    }

    pub(super) fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Acquire)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn host(&self) -> &str {
        &self.0.host
    }

    /// Waits for the child's death. Any number may wait, in any runtime.
    pub(crate) async fn exit(&self) -> DeathReport {
        let mut death = self.0.death.clone();
        match death.wait_for(Option::is_some).await {
            Ok(report) => report.clone().unwrap_or_else(|| self.unknown()),
            Err(_) => self.unknown(),
        }
    }

    /// How the child died, if it did.
    pub(crate) fn try_exit(&self) -> Option<DeathReport> {
        self.0.death.borrow().clone()
    }

    /// Asks the child to end, and kills it if it has not ended after the grace time. Returns at once.
    pub(crate) fn shutdown(&self) {
        self.want(Wish::Shutdown);
    }

    /// Kills the child and its process group. Returns at once.
    pub(crate) fn kill(&self) {
        self.want(Wish::Kill);
    }

    /// Has the keeper look why the child has ended its first connection before it was ready.
    pub(super) fn explain(&self) {
        self.want(Wish::Explain);
    }

    /// A guard that shuts the child down when it is dropped.
    pub(crate) fn owned(&self) -> OwnedProcess {
        OwnedProcess { process: self.clone(), armed: true }
    }

    fn want(&self, wish: Wish) {
        self.0.wish.send_if_modified(|now| {
            let more = wish > *now;
            *now = wish.max(*now);
            more
        });
    }

    /// The keeper's task is gone without a report, which only a panic in it could cause.
    fn unknown(&self) -> DeathReport {
        let line = "[rpc-parallel: how it ended is not known]".to_owned();
        let Inner { name, host, .. } = &*self.0;
        DeathReport::new(name.clone(), self.pid(), host.clone(), Exit::Code(-1), vec![line], Duration::ZERO)
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("name", &self.0.name).field("pid", &self.pid()).finish_non_exhaustive()
    }
}

/// Shuts a child down when it is dropped.
#[derive(Debug)]
#[must_use = "the worker is shut down when this is dropped"]
pub(crate) struct OwnedProcess {
    process: Process,
    armed: bool,
}

impl OwnedProcess {
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Lets the child live on.
    pub(crate) fn release(mut self) -> Process {
        self.armed = false;
        self.process.clone()
    }
}

impl Drop for OwnedProcess {
    fn drop(&mut self) {
        if self.armed {
            self.process.shutdown();
        }
    }
}
