//! Giving up a stream: dropping it ends its producer, and the worker can tell.
//!
//! ```text
//! cargo run --bin abort
//! ```
//!
//! The worker's side of an abandoned stream is dropped like any Rust value. What the stream owns is dropped with it; here
//! that is a guard, and a later call waits until it is gone. Other calls on the connection are not disturbed.

use std::{convert::Infallible, error::Error, sync::Arc};

use futures_util::{Stream, TryStreamExt, stream};
use rpc_parallel::{Init, Spawn, WorkerContext};
use tokio::sync::{Mutex, Notify, mpsc};

/// Passes numbers on to whoever listens.
#[rpc_parallel::worker]
pub trait PingPong {
    /// Sends a number to whoever reads the pongs.
    async fn ping(&self, n: u32);
    /// All pings from now on.
    async fn pongs(&self) -> impl Stream<Item = u32>;
    /// Returns once a stream of pongs has been given up.
    async fn pongs_closed(&self);
}

struct Table {
    reader: Mutex<Option<mpsc::Sender<u32>>>,
    closed: Arc<Notify>,
}

impl Init for Table {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { reader: Mutex::default(), closed: Arc::default() })
    }
}

/// Tells when it is dropped.
struct Guard(Arc<Notify>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[rpc_parallel::worker]
impl PingPong for Table {
    async fn ping(&self, n: u32) {
        let reader = self.reader.lock().await.clone();
        if let Some(reader) = reader {
            // A reader that has left misses the ping, and that is all.
            let _ = reader.send(n).await;
        }
    }

    async fn pongs(&self) -> impl Stream<Item = u32> {
        let (sender, receiver) = mpsc::channel(1);
        *self.reader.lock().await = Some(sender);
        let guard = Guard(Arc::clone(&self.closed));
        stream::unfold((receiver, guard), |(mut receiver, guard)| async move {
            let n = receiver.recv().await?;
            Some((n, (receiver, guard)))
        })
    }

    async fn pongs_closed(&self) {
        self.closed.notified().await;
    }
}

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let table = Table::spawn(()).name("table").connect().await?;
    let mut pongs = table.pongs().await?;
    for n in 0..5 {
        println!("Ping: {n}");
        table.ping(n).await?;
        let pong = pongs.try_next().await?.ok_or("the worker has ended the stream")?;
        println!("Pong: {pong}");
    }
    drop(pongs);
    table.pongs_closed().await?;
    println!("Worker reports pongs closed");
    Ok(())
}
