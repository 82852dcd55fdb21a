//! A trait becomes worker processes.

extern crate self as rpc_parallel;

mod death;
mod fault;
mod hash;
mod id;
mod settings;

pub use death::{DeathReport, Exit};
pub use fault::{Fault, PanicReport};
pub use id::{BuildId, FunctionId, InterfaceId, WorkerId, WorkerTypeId};
pub use settings::{HeartbeatSettings, Settings};
