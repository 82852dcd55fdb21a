//! Why a worker could not be spawned or served.

use std::{io, sync::Arc, time::Duration};

use crate::{
    bootstrap::StartFailure,
    codec,
    connection::ConnectError,
    death::{DeathReport, Exit},
    fault::Fault,
    process::LaunchError,
};

/// Why a worker could not be spawned. No process of it is left.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// No process could be started, or one of the things it was to have: a directory, a file for its output.
    #[error("cannot start {what}: {error}")]
    NotStarted {
        /// What could not be started or opened.
        what: String,
        /// What the system says.
        #[source]
        error: Arc<io::Error>,
    },
    /// What was asked for cannot be: a name or an argument that is too large, or the library's own environment
    /// variable.
    #[error("{0}")]
    BadRequest(String),
    /// A child of this program would not become a worker: nothing in it calls this library's entry.
    #[error("{0}")]
    NoEntry(String),
    /// The process has ended before it was ready.
    #[error("{0}; it had not finished starting")]
    Died(Arc<DeathReport>),
    /// The process is no worker: it ran something else, and was ended if it had not ended itself.
    #[error("{text}")]
    NotAWorker {
        /// How it ended, if by itself.
        exit: Option<Exit>,
        /// Its last lines on stderr.
        stderr: Vec<String>,
        /// All of it in a sentence.
        text: String,
    },
    /// The worker's [`Init`](crate::Init) returned an error or panicked.
    #[error("the worker {name} could not be initialised: {fault}")]
    Init {
        /// The worker.
        name: String,
        /// Its error.
        fault: Fault,
    },
    /// The worker type is not known in the child, or two things in the program have the same identity.
    #[error("{0}")]
    NotRegistered(String),
    /// It was not ready in time, and was killed.
    #[error("{text}")]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
        /// What it was at, and its last lines on stderr.
        text: String,
    },
    /// The worker was started, but the client that was asked for could not be connected. The worker was ended.
    #[error("the worker was started, but not connected to: {0}")]
    Connect(#[from] ConnectError),
    /// The worker could not use something of its system: no thread, no socket.
    #[error("the worker {name} cannot serve: {text}")]
    System {
        /// The worker.
        name: String,
        /// What is missing.
        text: String,
    },
    /// There is no tokio runtime with I/O and time enabled here.
    #[error(
        "no tokio runtime runs here: spawn inside `#[rpc_parallel::main]`, `#[tokio::main]` or `Runtime::block_on`, with I/O and time enabled"
    )]
    NoRuntime,
}

impl SpawnError {
    pub(super) fn from_launch(name: &str, error: LaunchError) -> Self {
        let text = error.to_string();
        match error {
            LaunchError::NotStarted { what, error } => Self::NotStarted { what, error: Arc::new(error) },
            LaunchError::TooLarge { .. } | LaunchError::Conflict { .. } => Self::BadRequest(text),
            LaunchError::NoEntry(_) => Self::NoEntry(text),
            LaunchError::Died(report) => Self::Died(Arc::new(report)),
            LaunchError::NotAWorker(child) => Self::NotAWorker { exit: child.exit, stderr: child.stderr, text },
            LaunchError::TimedOut(timed_out) => Self::TimedOut { after: timed_out.after, text },
            LaunchError::Keeper(error) => {
                Self::NotStarted { what: "the thread that looks after workers".to_owned(), error: Arc::new(error) }
            }
            LaunchError::Failed(bytes) => match codec::decode(&bytes) {
                Ok(StartFailure::Init(fault)) => Self::Init { name: name.to_owned(), fault },
                Ok(StartFailure::NotRegistered(text)) => Self::NotRegistered(text),
                Ok(StartFailure::System(text)) => Self::System { name: name.to_owned(), text },
                Err(error) => Self::System { name: name.to_owned(), text: format!("its report is garbled: {error}") },
            },
        }
    }
}
