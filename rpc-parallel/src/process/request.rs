//! What is to be started.

use std::{ffi::OsString, os::fd::OwnedFd, path::PathBuf, time::Duration};

use tokio::sync::oneshot;

use super::{LaunchError, Process, Program, Redirect, Stderr, handle::Links, redirect::Output};

/// A child to start.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: Program,
    /// Arguments in front of those that every worker has. A worker does not look at any; they are for a wrapper.
    pub(crate) args: Vec<OsString>,
    /// Added to our own environment; the last of several with the same name counts.
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) current_dir: Option<PathBuf>,
    pub(crate) name: String,
    pub(crate) stdout: Redirect,
    pub(crate) stderr: Stderr,
    /// What the child is to do. It travels over the control socket, out of sight.
    pub(crate) ticket: Vec<u8>,
    /// Handed over with the ticket, in this order, after the first connection.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// From here to ready.
    pub(crate) start_timeout: Duration,
    /// From the request to shut down to SIGKILL.
    pub(crate) grace: Duration,
    pub(crate) on_master_loss: OnMasterLoss,
}

/// What a child does when its master is gone.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum OnMasterLoss {
    /// It ends at once, with all the processes of its group.
    #[default]
    End,
    /// It goes on, and lets go of its master's stdout and stderr.
    Survive,
}

impl Launch {
    /// A child of this image with all defaults.
    pub(crate) fn new(name: impl Into<String>, ticket: Vec<u8>) -> Self {
        Self {
            program: Program::default(),
            args: Vec::new(),
            env: Vec::new(),
            current_dir: None,
            name: name.into(),
            stdout: Redirect::default(),
            stderr: Stderr::default(),
            ticket,
            descriptors: Vec::new(),
            start_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            on_master_loss: OnMasterLoss::default(),
        }
    }
}

/// A child to start, with all opened that can be opened before.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) launch: Launch,
    /// The child's end of its first connection.
    pub(super) first: OwnedFd,
    pub(super) stdout: Output,
    /// None for a pipe to us.
    pub(super) stderr: Option<Output>,
    pub(super) process: Process,
    pub(super) links: Links,
    /// Takes why the start failed.
    pub(super) refusal: oneshot::Sender<LaunchError>,
}
