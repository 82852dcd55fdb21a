//! Workers: started in a process of their own, or served in this one.
//!
//! The steps of a spawn:
//!
//! 1. The worker's argument is encoded on the caller's task, and its id and key are drawn.
//! 2. This thread starts a copy of this program with a control socket, and sends it the ticket and one end of the
//!    socket pair of the first connection.
//! 3. The copy becomes the worker before its `main`: it reads the ticket, hangs itself on its lifeline, makes its
//!    state, listens if anybody else can learn of it, and says over the first connection that it is ready. Whatever goes
//!    wrong up to here is the spawn's error.
//! 4. The first client talks to the worker over the socket pair; there is no listening, no connecting, no file and, if
//!    both run the same image, no greeting between the two. A client that is bound to its worker has even had its trait
//!    opened in step 3.

mod builder;
mod connect;
mod contact;
mod error;
mod plan;
mod serve;
mod spawned;
#[cfg(test)]
mod tests;
mod worker;

pub use self::builder::{Spawning, SpawningConnected, SpawningDetached};
pub use self::error::SpawnError;
pub use self::serve::{Serve, ServeError, Served};
pub use self::spawned::Spawned;
pub use self::worker::{Connect, Worker};

use crate::{client::Client, init::Init, registry::Registered};

/// Starts workers of a type that implements a worker trait.
///
/// Every [`Init`] type has it. The client, and with it the trait, is inferred where the type implements one worker
/// trait; with several, the type that the result is assigned to decides.
///
/// ```
/// # use std::convert::Infallible;
/// use rpc_parallel::{Init, Served, Spawn, Spawned, WorkerContext, worker};
///
/// #[worker]
/// trait Clock {
///     async fn seconds(&self) -> u64;
/// }
///
/// #[worker]
/// trait Log {
///     #[rpc(one_way)]
///     fn note(&self, text: &str);
/// }
///
/// struct Desk;
/// # impl Init for Desk {
/// #     type Arg = ();
/// #     type Error = Infallible;
/// #     async fn init(_: (), _: &WorkerContext) -> Result<Self, Infallible> { Ok(Self) }
/// # }
///
/// #[worker]
/// impl Clock for Desk {
///     async fn seconds(&self) -> u64 {
///         7
///     }
/// }
///
/// #[worker]
/// impl Log for Desk {
///     fn note(&self, _text: &str) {}
/// }
///
/// #[rpc_parallel::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let desk: Spawned<ClockClient> = Desk::spawn(()).await?;
///     assert_eq!(desk.connect().await?.seconds().await?, 7);
///     let log: LogClient = desk.connect_to().await?; // the same worker
///     log.note("it is late").await?;
///     let here: Served<ClockClient> = Desk::serve(()).await?; // a worker in this process
///     assert_eq!(here.connect().await?.seconds().await?, 7);
///     Ok(())
/// }
/// ```
pub trait Spawn: Init {
    /// Starts a worker in a process of its own, see [`Spawning`] for what can be set and how the worker ends. The
    /// argument is encoded now; an argument that cannot be is the error of the spawn.
    fn spawn<C>(arg: Self::Arg) -> Spawning<C>
    where
        C: Client,
        Self: Registered<C>,
    {
        Spawning::new::<Self>(&arg)
    }

    /// Starts a worker in this process, see [`Serve`] for what can be set and [`Served`] for how it ends. Its argument
    /// is encoded as if it went to another process.
    fn serve<C>(arg: Self::Arg) -> Serve<C>
    where
        C: Client,
        Self: Registered<C>,
    {
        Serve::new::<Self>(&arg)
    }
}

impl<W: Init> Spawn for W {}
