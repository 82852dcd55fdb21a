//! A trait becomes worker processes.

extern crate self as rpc_parallel;

mod bootstrap;
mod build;
mod client;
mod codec;
mod connection;
mod death;
mod fault;
mod flatten;
mod function;
mod handler;
mod hash;
mod id;
mod init;
mod panic;
mod private;
mod process;
mod proto;
mod readiness;
mod referent;
mod registry;
mod runtime;
mod server;
mod settings;
mod shape;
mod spawn;
mod transport;
mod value;
mod wire;

pub use bootstrap::enter as init;
pub use client::{Call, CallError, Client, Streaming};
pub use codec::CodecError;
pub use connection::{CallContext, ConnectError, ConnectionLost, Traffic};
pub use death::{DeathReport, Exit};
pub use fault::{Fault, PanicReport};
pub use function::{Function, FunctionKind, Interface};
pub use id::{BuildId, FunctionId, InterfaceId, WorkerId, WorkerTypeId};
pub use init::{ConnectionState, Init, WorkerContext};
pub use process::Redirect;
pub use proto::AbortReason;
pub use registry::{NotRegistered, Registered, Registry, RegistryError};
pub use rpc_parallel_macros::{main, worker};
pub use server::Upload;
pub use settings::{HeartbeatSettings, Settings};
pub use spawn::{
    Connect, Serve, ServeError, Served, Spawn, SpawnError, Spawned, Spawning, SpawningConnected, SpawningDetached,
    Worker,
};
pub use transport::Address;
pub use wire::{CloseKind, CloseReason, Closer, HandshakeFailure, HandshakeStep, Refusal};

#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}
