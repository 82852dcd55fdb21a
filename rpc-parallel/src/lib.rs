//! A trait becomes worker processes.

extern crate self as rpc_parallel;

mod death;
mod fault;
mod hash;
mod id;
#[allow(dead_code, unused_imports)]
mod proto;
mod settings;
#[allow(dead_code, unused_imports)]
mod wire;

pub use death::{DeathReport, Exit};
pub use fault::{Fault, PanicReport};
pub use id::{BuildId, FunctionId, InterfaceId, WorkerId, WorkerTypeId};
pub use settings::{HeartbeatSettings, Settings};
pub use wire::{CloseKind, CloseReason, Closer, HandshakeFailure, HandshakeStep, Refusal};
