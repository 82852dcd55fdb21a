//! What a ticket says: the worker that the new process is to be.

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, CodecError},
    fault::Fault,
    id::{BuildId, InterfaceId, WorkerId, WorkerTypeId},
    server::OpenAnswer,
    settings::Settings,
    transport::Address,
};

/// The worker that a new process is to be.
#[derive(Deserialize, Serialize)]
pub(crate) struct Charge {
    pub(crate) id: WorkerId,
    pub(crate) name: Option<String>,
    pub(crate) worker_type: WorkerTypeId,
    pub(crate) worker_type_name: String,
    pub(crate) interface: InterfaceId,
    pub(crate) interface_name: String,
    /// The build of the spawner, if the worker runs the same image and so need not find it out.
    pub(crate) build: Option<BuildId>,
    pub(crate) key: [u8; 32],
    /// How many CPUs the machine has.
    pub(crate) cpus: usize,
    /// Whether it runs on its battery.
    pub(crate) on_battery: bool,
    pub(crate) settings: Settings,
    pub(crate) ending: Ending,
    /// Threads of the worker's runtime; 1 is a current-thread runtime.
    pub(crate) threads: usize,
    /// The first client's request to open its trait, if it is known by now.
    pub(crate) opening: Option<Vec<u8>>,
    /// The encoded argument of the worker's `Init`.
    #[serde(with = "bytes_field")]
    pub(crate) arg: Vec<u8>,
}

impl Charge {
    /// As a ticket. Here, and not in the generic code that spawns, it is there once, in this library.
    pub(crate) fn encode(&self) -> postcard::Result<Vec<u8>> {
        postcard::to_stdvec(self)
    }
}

/// What ends a worker, beside the loss of its master and a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Ending {
    /// The end of the connection that was handed to it when it was started.
    FirstConnection,
    /// Nothing else.
    Master,
    /// Nothing, not even the loss of its master: only a request.
    Request,
}

/// What a worker says when it is ready.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Ready {
    /// Where others may connect to it, if anybody can learn that: of a worker whose life is its first connection nobody
    /// has a handle.
    pub(crate) address: Option<Address>,
    /// The answer to [`Charge::opening`].
    pub(crate) opened: Option<OpenAnswer>,
}

impl Ready {
    /// Of what the worker has said. It is here for the same reason as [`Charge::encode`].
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes)
    }
}

/// Why a worker could not become ready.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum StartFailure {
    /// The worker's `Init` failed or panicked.
    Init(Fault),
    /// The image has no such worker, or two with the same identity.
    NotRegistered(String),
    /// The runtime, the socket, or the charge itself.
    System(String),
}

mod bytes_field {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Ok(<&[u8]>::deserialize(deserializer)?.to_vec())
    }
}
