//! Streams between workers: one worker hands out elements, others subscribe to it and pass them on to the master.
//!
//! ```text
//! cargo run --bin stream_workers -- [WORKERS [ELEMENTS]]
//! ```
//!
//! The master tells the others of the source by its handle. They connect to it by themselves; the elements do not pass
//! through the master on their way to them.

use std::{convert::Infallible, error::Error, mem, time::Duration};

use futures_util::{
    Stream, StreamExt, TryStreamExt,
    future::{try_join, try_join_all},
    stream,
};
use rpc_parallel::{Fault, Init, Spawn, Streaming, Worker, WorkerContext};
use tokio::sync::{Mutex, mpsc};

/// Hands out elements.
#[rpc_parallel::worker]
pub trait Source {
    /// A share of the elements.
    async fn subscribe(&self) -> impl Stream<Item = u64>;
    /// Hands each element to one of the subscribers, with a pause after it, then ends their streams.
    async fn start(&self, pause: Duration);
}

/// Reads from a source for somebody else.
#[rpc_parallel::worker]
pub trait Relay {
    /// Subscribes to the source and passes on what comes. The source's failure is an item, the last one.
    async fn relay(&self, source: Worker<SourceClient>) -> Result<impl Stream<Item = Result<u64, Fault>>, Fault>;
}

struct SourceWorker {
    elements: u64,
    subscribers: Mutex<Vec<mpsc::Sender<u64>>>,
}

impl Init for SourceWorker {
    type Arg = u64;
    type Error = Infallible;

    async fn init(elements: u64, _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { elements, subscribers: Mutex::default() })
    }
}

#[rpc_parallel::worker]
impl Source for SourceWorker {
    async fn subscribe(&self) -> impl Stream<Item = u64> {
        let (sender, receiver) = mpsc::channel(1);
        self.subscribers.lock().await.push(sender);
        stream::unfold(receiver, |mut receiver| async move {
            let element = receiver.recv().await?;
            Some((element, receiver))
        })
    }

    async fn start(&self, pause: Duration) {
        let mut subscribers = mem::take(&mut *self.subscribers.lock().await);
        let mut turn = 0;
        for element in 0..self.elements {
            // A subscriber that has gone is forgotten, and another one gets the element.
            while !subscribers.is_empty() {
                turn = (turn + 1) % subscribers.len();
                if subscribers[turn].send(element).await.is_ok() {
                    break;
                }
                subscribers.swap_remove(turn);
            }
            tokio::time::sleep(pause).await;
        }
    }
}

struct RelayWorker;

impl Init for RelayWorker {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Relay for RelayWorker {
    async fn relay(&self, source: Worker<SourceClient>) -> Result<impl Stream<Item = Result<u64, Fault>>, Fault> {
        let client = source.connect().await?;
        let elements = client.subscribe().await?;
        // The stream keeps the client, and so the connection, for as long as it is read.
        Ok(elements.map(move |element| {
            let _connected = &client;
            element.map_err(Fault::from)
        }))
    }
}

async fn collect(elements: Streaming<Result<u64, Fault>>) -> Result<Vec<u64>, Box<dyn Error>> {
    let elements: Vec<Result<u64, Fault>> = elements.try_collect().await?;
    Ok(elements.into_iter().collect::<Result<_, Fault>>()?)
}

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let workers = args.next().map_or(Ok(4), |arg| arg.parse::<usize>())?;
    let elements = args.next().map_or(Ok(50), |arg| arg.parse::<u64>())?;

    let source = SourceWorker::spawn(elements).name("source").await?;
    let relays = (0..workers).map(async |i| RelayWorker::spawn(()).name(format!("relay-{i}")).connect().await);
    let relays = try_join_all(relays).await?;
    let streams = try_join_all(relays.iter().map(|relay| relay.relay(source.worker().clone()))).await?;

    let start = async {
        let client = source.connect().await?;
        client.start(Duration::from_millis(1)).await?;
        Ok::<_, Box<dyn Error>>(())
    };
    let (received, ()) = try_join(try_join_all(streams.into_iter().map(collect)), start).await?;
    let mut received = received.concat();
    received.sort_unstable();
    assert!(received.into_iter().eq(0..elements), "not every element came exactly once");
    println!("Ok.");
    Ok(())
}
