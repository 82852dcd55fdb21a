//! Why a child did not become a ready worker.

use std::{fmt, io, time::Duration};

use super::NoEntry;
use crate::{DeathReport, Exit};

/// Why [`launch`](super::launch) failed. Whatever it is, no process is left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// No process was started, since something it needs is missing or refused.
    #[error("cannot start {what}: {error}")]
    NotStarted {
        what: String,
        #[source]
        error: io::Error,
    },
    /// What was asked for is over a limit.
    #[error("{what} has {size}, the most is {limit}")]
    TooLarge { what: &'static str, size: u64, limit: u64 },
    /// The environment asked for contains the library's own variable.
    #[error("environment variable conflicts with rpc_parallel's machinery: {name}={value}; take it out of `env`")]
    Conflict { name: String, value: String },
    /// A child would not become a worker.
    #[error(transparent)]
    NoEntry(#[from] NoEntry),
    /// It died before it was ready.
    #[error("{0} (before it was ready)")]
    Died(DeathReport),
    /// It ran something else.
    #[error("{0}")]
    NotAWorker(Box<NotAWorker>),
    /// It said why it cannot serve.
    #[error("the worker failed to start")]
    Failed(Vec<u8>),
    /// It took too long and was killed.
    #[error("{0}")]
    TimedOut(Box<TimedOut>),
    /// The thread that owns all children could not be started.
    #[error("cannot start the thread that looks after child processes: {0}")]
    Keeper(#[source] io::Error),
}

/// A child that did not become a worker.
#[derive(Debug)]
pub(crate) struct NotAWorker {
    pub(crate) program: String,
    /// How it ended, if it did not have to be killed.
    pub(crate) exit: Option<Exit>,
    pub(crate) stderr: Vec<String>,
}

impl fmt::Display for NotAWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no rpc_parallel entry ran in the child ({}), which ", self.program)?;
        match self.exit {
            Some(exit) => exit.fmt(f)?,
            None => f.write_str("closed its control socket on descriptor 0 (and was killed then)")?,
        }
        f.write_str(
            ": put #[rpc_parallel::main] on its main, or call rpc_parallel::init() first thing in it, and check that it \
             links rpc_parallel",
        )?;
        last_words(f, &self.stderr)
    }
}

/// A child that was not ready in time.
#[derive(Debug)]
pub(crate) struct TimedOut {
    pub(crate) name: String,
    pub(crate) after: Duration,
    pub(crate) step: Step,
    pub(crate) stderr: Vec<String>,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {} was not ready after {:?} and was killed; {}", self.name, self.after, self.step)?;
        last_words(f, &self.stderr)
    }
}

/// How far a child came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// No entry of the library ran yet.
    Entry,
    /// It took over, and reads its ticket.
    Ticket,
    /// It has its ticket, and did not say that it is ready.
    Ready,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entry => {
                "no rpc_parallel entry ran in it: is #[rpc_parallel::main] or rpc_parallel::init() the first thing in its \
                 main?"
            }
            Self::Ticket => "it was still reading its ticket",
            Self::Ready => "it had its ticket, but its start did not come to an end",
        })
    }
}

fn last_words(f: &mut fmt::Formatter<'_>, stderr: &[String]) -> fmt::Result {
    if !stderr.is_empty() {
        f.write_str("; its last words on stderr:")?;
        for line in stderr {
            write!(f, "\n    {line}")?;
        }
    }
    Ok(())
}
