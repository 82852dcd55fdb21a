//! Starting a child and waiting until it is ready.

use std::{ffi::OsStr, io, pin::pin};

use futures_util::FutureExt;
use tokio::sync::oneshot::{self, error::RecvError};

use super::{
    Launch, LaunchError, Process, Stderr,
    entry::{self, MARKER},
    executable::host,
    first::FirstConnection,
    keeper::keeper,
    messages::{MAX_DESCRIPTORS, MAX_NAME, MAX_TICKET},
    request::Request,
    socket::{StartingAlone, pair},
    spawn,
};
use crate::readiness::Watched;

/// Starts a child and waits until it is ready; gives what it said then, and our end of its first connection.
///
/// The child is started by the thread that polls this first, which waits until it runs the program: about as long as the
/// kernel takes to copy what describes this process. If the future is dropped, the child is killed and reaped.
pub(crate) async fn launch(launch: Launch) -> Result<(Process, Vec<u8>, Watched), LaunchError> {
    let Started { starting, connection, refused } = start(launch)?;
    let ready = starting.ready(&connection, refused).await?;
    Ok((starting.over(), ready, connection.into_socket()))
}

/// A child that runs, and where it says that it is ready.
struct Started {
    starting: Starting,
    connection: FirstConnection,
    refused: oneshot::Receiver<LaunchError>,
}

fn start(launch: Launch) -> Result<Started, LaunchError> {
    launch.check()?;
    let stdout = launch.stdout.open()?;
    let stderr = match &launch.stderr {
        Stderr::To(redirect) => Some(redirect.open()?),
        Stderr::Relay | Stderr::Capture => None,
    };
    let failed = |error| LaunchError::NotStarted { what: "its first connection".to_owned(), error };
    let _alone = StartingAlone::new();
    let (ours, theirs) = pair().map_err(failed)?;
    let connection = FirstConnection::new(ours).map_err(failed)?;
    let (process, links) = Process::new(launch.name.clone(), host());
    let (refusal, refused) = oneshot::channel();
    let keeper = keeper().map_err(LaunchError::Keeper)?;
    let starting = Starting { process: process.clone(), over: false };
    spawn::start(Request { launch, first: theirs, stdout, stderr, process, links, refusal }, &keeper)?;
    Ok(Started { starting, connection, refused })
}

/// A child on its way. If nobody waits for it any longer, it is killed, also when it has just become ready.
struct Starting {
    process: Process,
    over: bool,
}

impl Starting {
    /// Waits for what the child says when it is ready, or for the keeper to say why it will not be.
    async fn ready(
        &self,
        connection: &FirstConnection,
        mut refused: oneshot::Receiver<LaunchError>,
    ) -> Result<Vec<u8>, LaunchError> {
        let mut ready = pin!(connection.ready());
        let error = tokio::select! {
            biased;
            ready = &mut ready => match ready {
                Some(ready) => {
                    self.process.set_ready();
                    return Ok(ready);
                }
                None => {
                    self.process.explain();
                    refused.await
                }
            },
            error = &mut refused => {
                // It may have been ready before it died: the keeper can be told of that before this runtime of the former.
                if let Some(Some(ready)) = ready.now_or_never() {
                    self.process.set_ready();
                    return Ok(ready);
                }
                error
            }
        };
        Err(error
            .unwrap_or_else(|_: RecvError| LaunchError::Keeper(io::Error::other("its task for the child is gone"))))
    }

    /// The child belongs to whoever gets it from now on.
    fn over(mut self) -> Process {
        self.over = true;
        self.process.clone()
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if !self.over {
            self.process.kill();
        }
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
            ("the number of descriptors", self.descriptors.len() as u64 + 2, MAX_DESCRIPTORS as u64),
            ("the name's length in bytes", self.name.len() as u64, MAX_NAME as u64),
        ] {
            if size > limit {
                return Err(LaunchError::TooLarge { what, size, limit });
            }
        }
        Ok(())
    }
}
