//! Helpers of the tests: what the kernel knows about processes, descriptors and sockets, and waiting for it.
//!
//! A worker is called from a doctest like from anywhere else:
//!
//! ```
//! use rpc_parallel::Spawn;
//! use rpc_parallel_tests::{Echo, Probe};
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! runtime.block_on(async {
//!     let worker = Probe::spawn(()).await.unwrap();
//!     let client = worker.connect().await.unwrap();
//!     assert_eq!(client.echo("doctest").await.unwrap(), "doctest");
//!     assert_ne!(client.pid().await.unwrap(), std::process::id());
//!     assert!(worker.shutdown().await.exit.is_success());
//! });
//! ```

mod alone;
mod census;
mod chart;
mod descriptors;
mod probe;
mod process;
mod random;
mod sockets;
mod wait;

pub use alone::alone;
pub use census::Census;
pub use chart::Chart;
pub use descriptors::descriptors;
pub use probe::{Echo, EchoClient, Probe};
pub use process::{Process, Stat, marked_processes};
pub use random::Random;
pub use sockets::is_listening;
pub use wait::{LONG, wait_until, within};
