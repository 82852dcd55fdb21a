//! A Rust trait becomes worker processes: `#[rpc_parallel::worker]` on a trait and on its implementation, and the program
//! starts copies of *itself* as workers and calls them through a typed async client.
//!
//! ```
//! use std::sync::Mutex;
//!
//! use rpc_parallel::{Init, Spawn, WorkerContext};
//!
//! #[rpc_parallel::worker]
//! trait Tally {
//!     /// Adds up and returns the sum so far.
//!     async fn add(&self, n: u64) -> u64;
//! }
//!
//! struct Counter(Mutex<u64>);
//!
//! impl Init for Counter {
//!     type Arg = u64;
//!     type Error = std::convert::Infallible;
//!
//!     async fn init(start: u64, _: &WorkerContext) -> Result<Self, Self::Error> {
//!         Ok(Self(Mutex::new(start)))
//!     }
//! }
//!
//! #[rpc_parallel::worker]
//! impl Tally for Counter {
//!     async fn add(&self, n: u64) -> u64 {
//!         let mut sum = self.0.lock().unwrap();
//!         *sum += n;
//!         *sum
//!     }
//! }
//!
//! #[rpc_parallel::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let worker = Counter::spawn(10).name("tally-1").await?; // another process
//!     let tally = worker.connect().await?; // a TallyClient
//!     assert_eq!(tally.add(32).await?, 42);
//!     Ok(())
//! } // `worker` is dropped here, which ends its process
//! ```
//!
//! # Mental model
//!
//! - A **worker** identifies an RPC server that serves one implementation of a worker trait: [`Worker`].
//! - **Spawn** starts one in another process ([`Spawn::spawn`]), **serve** in this one ([`Spawn::serve`]). The process that
//!   spawns is the **master**.
//! - **Connect** makes a client to it, with its own connection state: [`Worker::connect`].
//! - **Calling a method** of the client runs it on the worker: a [`Call`] is the future of its result.
//!
//! # Where to read on
//!
//! | to know | see |
//! |---|---|
//! | what a method may look like, what its client gives | [`worker`](macro@worker) |
//! | how a worker is spawned and how it ends | [`Spawning`] |
//! | state of a worker, state of a connection | [`Init`], [`ConnectionState`] |
//! | deadlines, cancelling, several calls at once | [`Call`], [`CallContext`] |
//! | streams to the caller and to the worker | [`Streaming`], [`Upload`] |
//! | what can go wrong | [`SpawnError`], [`ServeError`], [`ConnectError`], [`CallError`], [`DeathReport`] |
//! | size limits, windows, heartbeats | [`Settings`] |
//! | closing, and why a connection ended | [`Client`] |
//!
//! # How a child becomes a worker
//!
//! A child runs the same image as its master. On Linux it becomes the worker before `main`, with nothing to write: so also
//! in `#[test]`, `#[tokio::test]`, doctests, benches and `harness = false` binaries, and neither the program's command
//! line nor its tests run in a worker. Elsewhere, and with the feature `pre-main` switched off,
//! [`#[rpc_parallel::main]`](macro@main) or [`init()`] is the entry. Where there is no entry, the first spawn fails with an
//! error that says so.
//!
//! # What a worker leaves behind
//!
//! Nothing. It ends when its master ends, however that ends, unless it was detached; its own workers and the plain
//! processes that it has started go with it. Every death is an error of all that was pending, with exit code or signal,
//! name, pid and the last lines of stderr.
//!
//! # Runtime, features, versions
//!
//! - The master needs a tokio runtime with I/O and time enabled, of either flavor.
//! - `pre-main` (default): see above.
//! - Rust 1.88 or later; Linux, and macOS with an entry in `main`. Other systems are refused by the build.

extern crate self as rpc_parallel;

mod bootstrap;
mod build;
mod bulk;
mod client;
mod codec;
mod connection;
mod cpus;
mod death;
mod fault;
mod flatten;
mod function;
mod handler;
mod hash;
mod id;
mod init;
mod memory;
mod panic;
mod power;
mod private;
mod process;
mod proto;
mod readiness;
mod referent;
mod registry;
mod room;
mod runtime;
mod server;
mod settings;
mod shape;
mod spawn;
mod tail;
mod threads;
mod transport;
mod value;
mod varint;
mod wire;

pub use bootstrap::{Role, enter as init, role};
pub use client::{Call, CallError, Client, Streaming};
pub use codec::CodecError;
pub use connection::{CallContext, ConnectError, ConnectionLost, TooBig, Traffic};
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
