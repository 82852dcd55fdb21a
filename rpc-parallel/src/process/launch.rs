//! Starting a child and waiting until it is ready.

use std::ffi::OsStr;

use tokio::sync::oneshot;

use super::{
    Launch, LaunchError, Process, Stderr,
    entry::{self, MARKER},
    executable::host,
    keeper,
    messages::{MAX_DESCRIPTORS, MAX_NAME, MAX_TICKET},
    request::{Launched, Request},
};

/// Starts a child and waits until it is ready; gives what it said then.
///
/// If the future is dropped, the child is killed and reaped.
pub(crate) async fn launch(launch: Launch) -> Result<(Process, Vec<u8>), LaunchError> {
    launch.check()?;
    let stdout = launch.stdout.open()?;
    let stderr = match &launch.stderr {
        Stderr::To(redirect) => Some(redirect.open()?),
        Stderr::Relay | Stderr::Capture => None,
    };
    let (reply, answer) = oneshot::channel();
    keeper::submit(Request { launch, stdout, stderr, host: host(), reply }).map_err(LaunchError::Keeper)?;
    match answer.await {
        Ok(launched) => launched.map(Launched::accept),
        Err(_) => Err(LaunchError::Keeper(std::io::Error::other("it dropped a request"))),
    }
}

impl Launch {
    /// What can be told without a system call.
    fn check(&self) -> Result<(), LaunchError> {
        if let Some((name, value)) = self.env.iter().find(|(name, _)| name == OsStr::new(MARKER)) {
            let (name, value) = (name.to_string_lossy().into(), value.to_string_lossy().into());
            return Err(LaunchError::Conflict { name, value });
        }
        entry::check(&self.program)?;
        for (what, size, limit) in [
            ("the ticket's length in bytes", self.ticket.len() as u64, MAX_TICKET),
            ("the number of descriptors", self.descriptors.len() as u64, MAX_DESCRIPTORS as u64),
            ("the name's length in bytes", self.name.len() as u64, MAX_NAME as u64),
        ] {
            if size > limit {
                return Err(LaunchError::TooLarge { what, size, limit });
            }
        }
        Ok(())
    }
}
