//! A trait becomes worker processes.

extern crate self as rpc_parallel;

mod codec;
mod death;
mod fault;
mod flatten;
mod function;
mod handler;
mod hash;
mod id;
mod init;
mod private;
mod referent;
mod registry;
mod settings;
mod shape;
mod stub;
mod value;

pub use codec::CodecError;
pub use death::{DeathReport, Exit};
pub use fault::{Fault, PanicReport};
pub use function::{Function, FunctionKind, Interface};
pub use id::{BuildId, FunctionId, InterfaceId, WorkerId, WorkerTypeId};
pub use init::{ConnectionState, Init};
pub use registry::{NotRegistered, Registered, Registry, RegistryError};
pub use rpc_parallel_macros::{main, worker};
pub use settings::{HeartbeatSettings, Settings};
pub use stub::{Call, CallError, Client, Streaming, Upload, WorkerContext};

#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}
