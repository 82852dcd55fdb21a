//! Connecting to a worker: a socket, a greeting, and the choice of a trait.

use std::{
    os::fd::AsFd,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    build::build_id,
    client::{CallError, ClientCore, failure},
    codec,
    connection::{CallFailure, ConnectError, Connection, Establish, RawCall, establish},
    death::DeathReport,
    function::Interface,
    id::FunctionId,
    process::{OwnedProcess, PeerProcess, Process},
    proto::Side,
    readiness::Watched,
    runtime,
    server::{OPEN, OpenAnswer, OpenFailure, OpenReply, OpenRequest, SHUTDOWN, ServesNothing},
    spawn::contact::Contact,
    transport::{self, Socket},
    wire::Status,
};

/// Our end of the socket pair that a worker gets with its ticket.
#[derive(Debug)]
pub(crate) struct First {
    pub(crate) socket: Watched,
    /// The worker runs our image: there is nothing that the two would have to tell each other first.
    pub(crate) same_image: bool,
}

/// A worker's process that we have started, and the socket that is connected to it, if nobody has used that yet.
pub(crate) struct Inherited {
    pub(crate) first: Option<First>,
    pub(crate) process: Process,
    /// Set if the process is to end with this connection.
    pub(crate) bound: Option<OwnedProcess>,
}

/// Encodes the argument of a connection.
pub(crate) fn encode<T: Serialize>(arg: &T) -> Result<Vec<u8>, ConnectError> {
    let mut bytes = Vec::new();
    codec::encode(arg, &mut bytes, usize::MAX).map_err(|error| ConnectError::Argument(error.to_string()))?;
    Ok(bytes)
}

/// Connects to a worker and opens a trait.
pub(super) async fn connect(
    contact: &Contact,
    interface: &'static Interface,
    arg: Vec<u8>,
    inherited: Option<Inherited>,
) -> Result<ClientCore, ConnectError> {
    let connection = connect_raw(contact, inherited).await?;
    let mismatched = open(&connection, contact, interface, arg).await?;
    Ok(ClientCore::new(connection, contact.id, mismatched.into()))
}

/// Connects to a worker that has opened the trait at its start, with this answer.
pub(super) async fn connect_opened(
    contact: &Contact,
    interface: &'static Interface,
    answer: OpenAnswer,
    inherited: Inherited,
) -> Result<ClientCore, ConnectError> {
    let mismatched = match answer {
        Ok(reply) => opened(&reply)?,
        Err(failure) => return Err(not_opened(&failure, contact, interface)),
    };
    let connection = connect_raw(contact, Some(inherited)).await?;
    Ok(ClientCore::new(connection, contact.id, mismatched.into()))
}

/// Connects to a worker and opens a trait, by code of this library and not of the program that has the client.
pub(super) fn connecting(
    contact: Arc<Contact>,
    interface: &'static Interface,
    arg: Result<Vec<u8>, ConnectError>,
    inherited: Option<Inherited>,
) -> BoxFuture<'static, Result<ClientCore, ConnectError>> {
    Box::pin(async move { connect(&contact, interface, arg?, inherited).await })
}

/// The request to open a trait.
pub(super) fn request(
    interface: &'static Interface,
    arg: Vec<u8>,
    signatures: Vec<(FunctionId, u64)>,
) -> Result<Vec<u8>, ConnectError> {
    encode(&OpenRequest { interface: interface.id, interface_name: interface.name.to_owned(), arg, signatures })
}

pub(super) async fn connect_raw(contact: &Contact, inherited: Option<Inherited>) -> Result<Connection, ConnectError> {
    if !runtime::is_here() {
        return Err(ConnectError::NoRuntime);
    }
    let unreachable = |error: std::io::Error| ConnectError::Unreachable {
        worker: contact.describe(),
        address: contact.address.to_string(),
        error: Arc::new(error),
    };
    let (first, process, bound) = match inherited {
        Some(Inherited { first, process, bound }) => (first, Some(process), bound),
        None => (None, None, None),
    };
    let acquainted = first.as_ref().filter(|first| first.same_image).map(|_| contact.pid);
    let socket = match first {
        Some(first) => Socket::watched(first.socket),
        None => match transport::connect(&contact.address, contact.settings.handshake_timeout).await {
            Ok(stream) => Socket::new(stream),
            Err(error) => {
                // A worker that ends refuses connections; its owner learns why a moment later.
                let Some(process) = process else { return Err(unreachable(error)) };
                return Err(match timeout(DEATH_REPORT_LIMIT, process.exit()).await {
                    Ok(report) => ConnectError::WorkerDied(Arc::new(report)),
                    Err(_) => unreachable(error),
                });
            }
        },
    };
    let socket = socket.map_err(unreachable)?;
    let death = death_of(contact, &socket, process);
    let shared = establish(Establish {
        side: Side::Initiator,
        socket,
        settings: contact.settings.clone(),
        build: build_id(),
        worker: contact.id,
        key: contact.key,
        acquainted,
        peer: contact.describe(),
        service: Box::new(ServesNothing { _bound: bound.map(|bound| Box::new(bound) as _) }),
        death,
    })
    .map_err(unreachable)?;
    Ok(Connection::of(shared).await?)
}

/// Ends with the death of the worker's process, where we can know how it ended.
fn death_of(
    contact: &Contact,
    socket: &Socket,
    process: Option<Process>,
) -> Option<BoxFuture<'static, Arc<DeathReport>>> {
    if let Some(process) = process {
        return Some(Box::pin(async move { Arc::new(process.exit().await) }));
    }
    if contact.pid == std::process::id() {
        return None;
    }
    let process = PeerProcess::of(socket.as_fd())?;
    let (name, pid, host) = (contact.name.clone(), contact.pid, contact.host.clone());
    let name = name.unwrap_or_else(|| contact.id.to_string());
    let since = Instant::now();
    Some(Box::pin(async move {
        let exit = process.exit().await;
        Arc::new(DeathReport::new(name, pid, host, exit, Vec::new(), since.elapsed()))
    }))
}

/// Chooses the trait. Returns the functions that the worker has with another signature.
pub(super) async fn open(
    connection: &Connection,
    contact: &Contact,
    interface: &'static Interface,
    arg: Vec<u8>,
) -> Result<Vec<FunctionId>, ConnectError> {
    let other_build = connection.shared().peer_build() != Some(build_id());
    let signatures = if other_build {
        interface.functions.iter().map(|function| (function.id, function.signature)).collect()
    } else {
        Vec::new()
    };
    let payload = request(interface, arg, signatures)?;
    let mut call = RawCall::new(connection, OPEN);
    *call.arguments() = payload;
    let (status, reply) = call.end().await.map_err(|failure| match failure {
        CallFailure::Lost(terminal) => ConnectError::from_terminal(terminal),
        other => ConnectError::Argument(CallError::<std::convert::Infallible>::from_failure(other).to_string()),
    })?;
    match status {
        Status::Ok => opened(&reply),
        Status::App => Err(not_opened(&reply, contact, interface)),
        status => {
            let error = failure(status, &reply);
            Err(ConnectError::Argument(error.to_string()))
        }
    }
}

fn opened(reply: &[u8]) -> Result<Vec<FunctionId>, ConnectError> {
    let reply: OpenReply = codec::decode(reply).map_err(garbled)?;
    Ok(reply.mismatched)
}

fn not_opened(failure: &[u8], contact: &Contact, interface: &'static Interface) -> ConnectError {
    match codec::decode(failure) {
        Ok(OpenFailure::NotServed { served }) => {
            ConnectError::NotServed { worker: contact.describe(), interface: interface.name.to_owned(), served }
        }
        Ok(OpenFailure::Refused(fault)) => ConnectError::Refused { worker: contact.describe(), fault },
        Ok(OpenFailure::Again) => ConnectError::Argument("the connection was opened before".into()),
        Err(error) => garbled(error),
    }
}

fn garbled(error: codec::CodecError) -> ConnectError {
    ConnectError::Argument(format!("the worker's answer is garbled: {error}"))
}

/// Asks a worker to end.
pub(crate) async fn shutdown(contact: &Contact) -> Result<(), ConnectError> {
    let connection = connect_raw(contact, None).await?;
    let mut call = RawCall::new(&connection, SHUTDOWN);
    call.set_one_way();
    match call.end().await {
        Ok(_) => {}
        Err(CallFailure::Lost(terminal)) => return Err(terminal.into()),
        // It is about to end already.
        Err(_) => {}
    }
    // Once the worker has closed the connection it has seen the request. One that is stuck never will.
    let _ = timeout(SEEN_LIMIT, connection.closed()).await;
    Ok(())
}

/// How long a request to end waits for the worker's reaction.
const SEEN_LIMIT: Duration = Duration::from_secs(2);

/// How long a connect that was refused waits for the report of the worker's death.
const DEATH_REPORT_LIMIT: Duration = Duration::from_secs(2);
