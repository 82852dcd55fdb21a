//! Makes a connection of a connected socket.

use std::{io, sync::Arc};

use crate::{
    connection::{Connection, Service, Terminal, core::Shared, driver::Driver, lane::Way, pulse},
    death::DeathReport,
    id::{BuildId, WorkerId},
    proto::{Session, SessionConfig, Side},
    runtime,
    settings::Settings,
    transport::Socket,
};

/// What a connection is made of.
pub(crate) struct Establish {
    pub(crate) side: Side,
    pub(crate) socket: Socket,
    pub(crate) settings: Settings,
    pub(crate) build: BuildId,
    /// The worker that is asked for, or that answers.
    pub(crate) worker: WorkerId,
    pub(crate) key: [u8; 32],
    /// The pid of a peer that need not introduce itself: it runs the same image with the same settings, and nobody else
    /// can have the other end of the socket.
    pub(crate) acquainted: Option<u32>,
    /// Who is at the other end, for errors.
    pub(crate) peer: String,
    pub(crate) service: Box<dyn Service>,
    /// Ends with the death of the process at the other end, if it is one that we started.
    pub(crate) death: Option<futures_util::future::BoxFuture<'static, Arc<DeathReport>>>,
}

/// Starts the driver of a connection on the current runtime and returns what both share.
///
/// The two sides have not greeted each other yet; calls that are made meanwhile wait.
pub(crate) fn establish(parts: Establish) -> io::Result<Arc<Shared>> {
    let mut nonce = [0; 16];
    if parts.acquainted.is_none() {
        getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
    }
    let (heartbeat, spin) = (parts.settings.heartbeat, parts.settings.spin);
    let way = Way::new(parts.side, parts.settings.shared_memory);
    let config = SessionConfig {
        settings: parts.settings,
        build: parts.build,
        worker: parts.worker,
        key: Some(parts.key),
        nonce,
        label: format!("pid {}", std::process::id()),
    };
    let now = std::time::Instant::now();
    let session = match parts.acquainted {
        None => Session::new(parts.side, config, now),
        Some(pid) => Session::acquainted(parts.side, config, format!("pid {pid}"), now),
    };
    let shared = Shared::new(session, parts.socket, way, parts.peer, spin);
    let death = parts.death.map(|death| {
        let shared = Arc::downgrade(&shared);
        runtime::spawn(Box::pin(async move {
            let report = death.await;
            if let Some(shared) = shared.upgrade() {
                shared.worker_died(report);
            }
        }))
    });
    // A worker that was just started has told its spawner so, who did it in order to call.
    let told = parts.acquainted.is_some() && parts.side == Side::Acceptor;
    runtime::spawn(Box::pin(Driver::new(Arc::clone(&shared), parts.service, death, told)));
    if let Some(heartbeat) = heartbeat {
        pulse::keep(&shared, heartbeat.send_every);
    }
    Ok(shared)
}

impl Connection {
    /// Waits for the greeting and makes a handle that keeps the connection open.
    pub(crate) async fn of(shared: Arc<Shared>) -> Result<Self, Terminal> {
        // From here on, giving up closes the connection.
        let connection = Self::new(Arc::clone(&shared));
        shared.established().await?;
        Ok(connection)
    }
}
