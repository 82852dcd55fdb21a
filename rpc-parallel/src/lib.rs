//! A trait becomes worker processes.

extern crate self as rpc_parallel;

#[allow(dead_code)]
mod bootstrap;
mod death;
mod fault;
mod hash;
mod id;
#[allow(dead_code)]
mod process;
mod settings;

pub use bootstrap::enter as init;
pub use death::{DeathReport, Exit};
pub use fault::{Fault, PanicReport};
pub use id::{BuildId, FunctionId, InterfaceId, WorkerId, WorkerTypeId};
pub use settings::{HeartbeatSettings, Settings};
