//! The original's examples in which the processes matter.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::{Stream, StreamExt, future::join_all, stream::select_all};
use rpc_parallel::{Client, Fault, Redirect, Spawn, Worker, WorkerContext};
use tokio::sync::mpsc;

use crate::support::{Program, Scratch, all, gone, received, stateless, within};

stateless!(Printer, Relay, Dispatcher);

#[rpc_parallel::worker]
pub(crate) trait Print {
    async fn print(&self, text: String);
}

#[rpc_parallel::worker]
impl Print for Printer {
    async fn print(&self, text: String) {
        // Without an end of line, so that it stays in the buffer.
        print!("{text}");
        eprintln!("printed {text}");
    }
}

/// A worker in the foreground: its owner waits for its end, has its exit status, and finds all of its output.
#[tokio::test]
async fn c010_the_owner_sees_output_and_exit() {
    let scratch = Scratch::new();
    let out = scratch.file("out");
    let worker = Printer::spawn(()).name("printer").stdout(Redirect::Truncate(out.clone())).await.unwrap();
    let pid = worker.pid();
    let client = worker.connect().await.unwrap();
    client.print("HELLO\n".into()).await.unwrap();
    client.print("HELLO2".into()).await.unwrap();
    client.close();
    let report = within(worker.shutdown()).await;
    assert!(report.exit.is_success(), "{report}");
    assert_eq!((report.pid, report.name.as_str()), (pid, "printer"));
    assert_eq!(report.stderr, ["printed HELLO", "", "printed HELLO2"]);
    assert_eq!(std::fs::read_to_string(out).unwrap(), "HELLO\nHELLO2");
    gone(pid).await;
}

/// Sends each number to one of those who listen.
pub(crate) struct Source {
    listeners: Mutex<Vec<mpsc::Sender<u64>>>,
}

impl rpc_parallel::Init for Source {
    type Arg = ();
    type Error = std::convert::Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self { listeners: Mutex::default() })
    }
}

#[rpc_parallel::worker]
pub(crate) trait Numbers {
    async fn listen(&self) -> impl Stream<Item = u64>;
    async fn listeners(&self) -> usize;
    /// Sends `0..count` and ends the streams.
    async fn start(&self, count: u64);
}

#[rpc_parallel::worker]
impl Numbers for Source {
    async fn listen(&self) -> impl Stream<Item = u64> {
        let (sender, receiver) = mpsc::channel(1);
        self.listeners.lock().unwrap().push(sender);
        received(receiver)
    }
    async fn listeners(&self) -> usize {
        let mut listeners = self.listeners.lock().unwrap();
        listeners.retain(|listener| !listener.is_closed());
        listeners.len()
    }
    async fn start(&self, count: u64) {
        let listeners = std::mem::take(&mut *self.listeners.lock().unwrap());
        let mut random = 1_u64;
        for n in 0..count {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let listener = &listeners[(random >> 33) as usize % listeners.len()];
            listener.send(n).await.unwrap();
        }
    }
}

#[rpc_parallel::worker]
pub(crate) trait Follow {
    /// What another worker sends, to which this one connects by itself.
    async fn follow(&self, source: Worker<NumbersClient>) -> Result<impl Stream<Item = u64>, Fault>;
}

#[rpc_parallel::worker]
impl Follow for Relay {
    async fn follow(&self, source: Worker<NumbersClient>) -> Result<impl Stream<Item = u64>, Fault> {
        let numbers = source.connect().await?.listen().await?;
        Ok(numbers.map(Result::unwrap))
    }
}

/// A handle as an argument: workers connect to each other, and every element arrives once.
#[tokio::test]
async fn c011_workers_stream_to_each_other() {
    let source = Source::spawn(()).await.unwrap();
    let relays = join_all((0..4).map(|_| Relay::spawn(()).connect().into_future())).await;
    let mut streams = Vec::new();
    for relay in &relays {
        let relay = relay.as_ref().unwrap();
        streams.push(within(relay.follow(source.worker().clone())).await.unwrap());
    }
    let client = source.connect().await.unwrap();
    // One that goes before the start is no longer served.
    let early = relays[0].as_ref().unwrap().follow(source.worker().clone()).await.unwrap();
    assert_eq!(client.listeners().await.unwrap(), 5);
    drop(early);
    crate::support::until("the listener is gone", async || client.listeners().await.unwrap() == 4).await;

    let start = client.start(50).start();
    let mut elements = all(select_all(streams)).await;
    within(start).await.unwrap();
    elements.sort_unstable();
    assert_eq!(elements, (0..50).collect::<Vec<_>>());
}

/// Counts who pings it.
pub(crate) struct Counter(AtomicU64);

impl rpc_parallel::Init for Counter {
    type Arg = ();
    type Error = std::convert::Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self(AtomicU64::new(0)))
    }
}

#[rpc_parallel::worker]
pub(crate) trait Ping {
    async fn ping(&self) -> u64;
}

#[rpc_parallel::worker]
impl Ping for Counter {
    async fn ping(&self) -> u64 {
        self.0.fetch_add(1, Relaxed) + 1
    }
}

#[rpc_parallel::worker]
pub(crate) trait Dispatch {
    async fn dispatch(&self, to: Worker<PingClient>) -> Result<u64, Fault>;
}

#[rpc_parallel::worker]
impl Dispatch for Dispatcher {
    async fn dispatch(&self, to: Worker<PingClient>) -> Result<u64, Fault> {
        Ok(to.with_client(async |client| client.ping().await).await??)
    }
}

/// A worker that pings another one for its master, over a connection of its own each time.
#[tokio::test]
async fn c012_a_handle_travels_to_another_worker() {
    let counter = Counter::spawn(()).await.unwrap();
    let ours = counter.connect().await.unwrap();
    let dispatcher = Dispatcher::spawn(()).connect().await.unwrap();
    let (mut from_master, mut from_dispatcher) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        from_master.push(ours.ping().await.unwrap());
        from_dispatcher.push(within(dispatcher.dispatch(counter.worker().clone())).await.unwrap());
    }
    assert!(from_master.is_sorted() && from_dispatcher.is_sorted());
    let all: BTreeSet<u64> = from_master.into_iter().chain(from_dispatcher).collect();
    assert_eq!(all, (1..=20).collect());
    assert!(!ours.is_closed() && counter.try_exit().is_none());
}

/// Workers of workers: all of them answer, and all of them end with the first master.
#[tokio::test]
async fn c013_workers_are_masters() {
    let mut program = Program::start(&["masters", "3", "2"]);
    for i in 0..3 {
        for j in 0..2 {
            assert_eq!(program.line(), format!("Primary worker #{i}: Secondary worker #{j}: pong"));
        }
    }
    let pids = program.numbers();
    assert_eq!(pids.iter().collect::<BTreeSet<_>>().len(), 3 + 3 * 2);
    assert!(pids.iter().all(|pid| crate::support::alive(*pid)));
    assert!(program.finish().0.success());
    for pid in pids {
        gone(pid).await;
    }
}
