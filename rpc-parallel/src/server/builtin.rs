//! The functions that every worker has.

use serde::{Deserialize, Serialize};

use crate::{
    fault::Fault,
    id::{FunctionId, InterfaceId},
};

/// Chooses the trait that a connection speaks, and makes its connection state. The first call of every client.
pub(crate) const OPEN: FunctionId = FunctionId::of_path(&["builtin", "open"]);

/// Asks the worker to end. One-way.
pub(crate) const SHUTDOWN: FunctionId = FunctionId::of_path(&["builtin", "shutdown"]);

/// What [`OPEN`] takes.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct OpenRequest {
    pub(crate) interface: InterfaceId,
    pub(crate) interface_name: String,
    /// The encoded argument of the connection.
    pub(crate) arg: Vec<u8>,
    /// The functions and their signatures, if the two sides are different builds.
    pub(crate) signatures: Vec<(FunctionId, u64)>,
}

/// What [`OPEN`] gives.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct OpenReply {
    /// The functions that the worker does not have, or has with another signature.
    pub(crate) mismatched: Vec<FunctionId>,
}

/// The encoded answer to [`OPEN`]: an [`OpenReply`] or an [`OpenFailure`].
pub(crate) type OpenAnswer = Result<Vec<u8>, Vec<u8>>;

/// Why [`OPEN`] gives nothing.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum OpenFailure {
    /// The worker has no such trait.
    NotServed {
        /// What it serves, as a list in words.
        served: String,
    },
    /// The connection's state could not be made.
    Refused(Fault),
    /// The connection was opened before.
    Again,
}
