//! The kinds of functions, and how their streams end.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{CallError, Client, ConnectError, ConnectionState, Fault, Init, Spawn, WorkerContext};
use tokio::sync::{Notify, mpsc};

use crate::support::{all, received, stateless, until, within};

/// Worker state of all kinds of functions.
pub(crate) struct Kinds {
    calls: AtomicU64,
    notes: Mutex<Vec<String>>,
}

impl Init for Kinds {
    type Arg = u64;
    type Error = Infallible;

    async fn init(start: u64, _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { calls: AtomicU64::new(start), notes: Mutex::default() })
    }
}

/// Connection state of all kinds of functions.
pub(crate) struct Named {
    worker: Arc<Kinds>,
    name: String,
}

impl ConnectionState for Named {
    type Worker = Kinds;
    type Arg = String;
    type Error = Infallible;

    async fn open(worker: &Arc<Kinds>, name: String) -> Result<Arc<Self>, Infallible> {
        Ok(Arc::new(Self { worker: Arc::clone(worker), name }))
    }
}

impl Named {
    fn next(&self) -> String {
        format!("{} {}", self.name, self.worker.calls.fetch_add(1, Relaxed))
    }
}

#[rpc_parallel::worker(connect = String)]
pub(crate) trait Every {
    async fn plain(&self) -> String;
    fn blocking(&self) -> String;
    async fn pipe(&self) -> impl Stream<Item = String>;
    async fn direct(&self) -> impl Stream<Item = String>;
    #[rpc(one_way)]
    fn one_way(&self, text: String);
    async fn reverse(&self, texts: impl Stream<Item = String>) -> String;
    async fn both(&self, texts: impl Stream<Item = String>) -> impl Stream<Item = String>;
    async fn state(&self) -> Result<(String, impl Stream<Item = String>), Fault>;
    async fn notes(&self) -> Vec<String>;
}

#[rpc_parallel::worker]
impl Every for Named {
    async fn plain(&self) -> String {
        tokio::task::yield_now().await;
        self.next()
    }
    fn blocking(&self) -> String {
        self.next()
    }
    async fn pipe(&self) -> impl Stream<Item = String> {
        stream::repeat_with(|| self.next()).take(2)
    }
    async fn direct(&self) -> impl Stream<Item = String> {
        let (sender, receiver) = mpsc::channel(1);
        let next = self.next();
        tokio::spawn(async move { sender.send(next).await });
        received(receiver)
    }
    fn one_way(&self, text: String) {
        self.worker.notes.lock().unwrap().push(format!("{} {text}", self.name));
    }
    async fn reverse(&self, texts: impl Stream<Item = String> + Send + Unpin) -> String {
        format!("{}: {}", self.next(), texts.collect::<Vec<_>>().await.join(","))
    }
    async fn both(&self, texts: impl Stream<Item = String> + Send + Unpin) -> impl Stream<Item = String> {
        texts.map(|text| format!("{}: {text}", self.next()))
    }
    async fn state(&self) -> Result<(String, impl Stream<Item = String>), Fault> {
        Ok((self.next(), stream::repeat_with(|| self.next()).take(1)))
    }
    async fn notes(&self) -> Vec<String> {
        self.worker.notes.lock().unwrap().clone()
    }
}

fn texts() -> impl Stream<Item = String> + Send {
    stream::iter(["x".to_owned(), "y".to_owned()])
}

/// Every kind of function reaches the state of the worker and that of its connection.
#[tokio::test]
async fn c083_all_kinds_of_functions() {
    let worker = Kinds::spawn(10).await.unwrap();
    let a = worker.connect_with("a".to_owned()).await.unwrap();
    let b = worker.connect_with("b".to_owned()).await.unwrap();
    assert_eq!(a.plain().await.unwrap(), "a 10");
    assert_eq!(b.blocking().await.unwrap(), "b 11");
    assert_eq!(all(a.pipe().await.unwrap()).await, ["a 12", "a 13"]);
    assert_eq!(all(b.direct().await.unwrap()).await, ["b 14"]);
    a.one_way("first".into()).await.unwrap();
    a.one_way("second".into()).await.unwrap();
    assert_eq!(a.notes().await.unwrap(), ["a first", "a second"]);
    assert_eq!(a.reverse(texts()).await.unwrap(), "a 15: x,y");
    assert_eq!(all(b.both(texts()).await.unwrap()).await, ["b 16: x", "b 17: y"]);
    let (first, updates) = a.state().await.unwrap();
    assert_eq!((first.as_str(), all(updates).await), ("a 18", vec!["a 19".to_owned()]));
}

/// Arguments and results are converted by plain Rust around a call, a stream's items by the adapters of streams.
#[tokio::test]
async fn c084_conversions_are_plain_rust() {
    let worker = Kinds::serve(1).await.unwrap();
    let client = worker.connect_with("a".to_owned()).await.unwrap();
    let length = async |client: &EveryClient| client.plain().await.map(|text| text.len());
    assert_eq!(length(&client).await.unwrap(), 3);
    let numbers = stream::iter(0..3).map(|n: u32| n.to_string());
    assert_eq!(client.reverse(numbers).await.unwrap(), "a 2: 0,1,2");
    let lengths = client.pipe().await.unwrap().map(|text| text.map(|text| text.len()));
    assert_eq!(all(lengths).await, [3, 3]);
}

stateless!(Ender);

/// A function belongs to its trait: that a client has no other function is checked when a program is compiled. A handle
/// that is taken for one of another trait is refused when it connects.
#[tokio::test]
async fn c085_functions_belong_to_their_trait() {
    let worker = Kinds::spawn(0).await.unwrap();
    let other = worker.interface::<EndClient>();
    match within(other.connect()).await {
        Err(ConnectError::NotServed { interface, served, .. }) => {
            assert!(interface.ends_with("functions::End"), "{interface}");
            assert!(served.contains("functions::Every") && !served.contains("End"), "{served}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(worker.connect_with("a".to_owned()).await.unwrap().plain().await.unwrap(), "a 0");
}

#[rpc_parallel::worker]
pub(crate) trait End {
    /// Items without end. `senders` tells how many of these are still written to.
    async fn endless(&self) -> impl Stream<Item = u64>;
    async fn senders(&self) -> usize;
    /// Some items, and then the end that is asked for.
    async fn ending(&self, how: String) -> impl Stream<Item = u64>;
    /// Answers after the first item, and reads no further.
    async fn first(&self, values: impl Stream<Item = u64>) -> Option<u64>;
    /// Answers at once, and a task reads on.
    async fn later(&self, values: impl Stream<Item = u64>);
    async fn seen(&self) -> u64;
    /// Lets what waits for it go on.
    async fn go(&self);
}

static SENDERS: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);
static GATE: Notify = Notify::const_new();

#[rpc_parallel::worker]
impl End for Ender {
    async fn endless(&self) -> impl Stream<Item = u64> {
        let (sender, receiver) = mpsc::channel(1);
        SENDERS.fetch_add(1, Relaxed);
        tokio::spawn(async move {
            // A write that nobody takes waits, and one that nobody will take fails.
            for n in 0.. {
                if sender.send(n).await.is_err() {
                    break;
                }
            }
            SENDERS.fetch_sub(1, Relaxed);
        });
        received(receiver)
    }
    async fn senders(&self) -> usize {
        SENDERS.load(Relaxed) as usize
    }
    async fn ending(&self, how: String) -> impl Stream<Item = u64> {
        stream::iter(0..3).chain(stream::once(async move {
            match how.as_str() {
                "panic" => panic!("text of expected failure"),
                "exit" => {
                    GATE.notified().await;
                    std::process::exit(5)
                }
                _ => 3,
            }
        }))
    }
    async fn first(&self, mut values: impl Stream<Item = u64> + Send + Unpin) -> Option<u64> {
        values.next().await
    }
    async fn later(&self, mut values: impl Stream<Item = u64> + Send + Unpin + 'static) {
        tokio::spawn(async move {
            while let Some(value) = values.next().await {
                SEEN.fetch_add(value, Relaxed);
            }
        });
    }
    async fn seen(&self) -> u64 {
        SEEN.load(Relaxed)
    }
    async fn go(&self) {
        GATE.notify_one();
    }
}

/// A stream's producer ends when its reader drops the stream, and when the reader's connection ends.
#[tokio::test]
async fn c086_the_producer_learns_that_nobody_reads() {
    let worker = Ender::spawn(()).await.unwrap();
    let (reader, watcher) = (worker.connect().await.unwrap(), worker.connect().await.unwrap());
    let producers = async |count| until("producers", async || watcher.senders().await.unwrap() == count).await;
    let mut one = reader.endless().await.unwrap();
    let two = reader.endless().await.unwrap();
    assert_eq!(within(one.next()).await.unwrap().unwrap(), 0);
    producers(2).await;
    drop(two);
    producers(1).await;
    assert_eq!(within(one.next()).await.unwrap().unwrap(), 1);
    reader.close();
    producers(0).await;
}

/// An end that is not clean comes as an error of its kind, once, after the items; a clean one, from either side, does
/// not.
#[tokio::test]
async fn c087_why_a_stream_ended() {
    let worker = Ender::spawn(()).await.unwrap();
    let client = worker.connect().await.unwrap();
    let items = async |how: &str| -> Vec<_> { within(client.ending(how.to_owned()).await.unwrap().collect()).await };
    let values = |items: &[Result<u64, CallError>]| items.iter().flatten().copied().collect::<Vec<_>>();

    let clean = items("clean").await;
    assert_eq!((values(&clean), clean.len()), (vec![0, 1, 2, 3], 4));
    let panicked = items("panic").await;
    assert_eq!((values(&panicked), panicked.len()), (vec![0, 1, 2], 4));
    assert!(matches!(&panicked[3], Err(CallError::Panicked(report)) if report.message == "text of expected failure"));
    // The connection and its other calls live, until the worker does not.
    assert_eq!(values(&items("clean").await), [0, 1, 2, 3]);
    let mut exited = within(client.ending("exit".into())).await.unwrap();
    for expected in 0..3 {
        assert_eq!(within(exited.next()).await.unwrap().unwrap(), expected);
    }
    let go = client.go().start();
    match within(exited.next()).await {
        Some(Err(CallError::WorkerDied(report))) => assert_eq!(report.exit, rpc_parallel::Exit::Code(5)),
        other => panic!("{other:?}"),
    }
    assert!(within(exited.next()).await.is_none());
    // It may have been answered before.
    let _ = within(go).await;
}

/// A caller's stream travels on the call's own connection. The reply may come before the stream is through: what reads
/// on has the rest, and what does not has the caller stop.
#[tokio::test]
async fn c089_uploads_and_replies_in_any_order() {
    let client = Ender::spawn(()).connect().await.unwrap();
    let (sender, receiver) = mpsc::channel(1);
    sender.send(5).await.unwrap();
    assert_eq!(within(client.first(received(receiver))).await.unwrap(), Some(5));
    within(sender.closed()).await;

    let (sender, receiver) = mpsc::channel(1);
    within(client.later(received(receiver))).await.unwrap();
    for value in [1, 2, 3] {
        within(sender.send(value)).await.unwrap();
    }
    drop(sender);
    until("the task has read them", async || client.seen().await.unwrap() == 6).await;
    assert_eq!(within(client.first(stream::empty())).await.unwrap(), None);
}

/// The call resolves once the handler has returned its stream; giving the stream up ends it alone. Rust: to give up is
/// to drop, so there is no id that could be another connection's.
#[tokio::test]
async fn c090_streams_are_given_up_one_by_one() {
    let client = Ender::spawn(()).connect().await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(within(client.endless()).await.unwrap());
    }
    for stream in &mut streams {
        assert_eq!(within(stream.next()).await.unwrap().unwrap(), 0);
    }
    for left in [2, 1, 0] {
        drop(streams.remove(0));
        until("its producer ends", async || client.senders().await.unwrap() == left).await;
        for stream in &mut streams {
            assert!(within(stream.next()).await.unwrap().is_ok());
        }
    }
    assert!(!client.is_closed());
}

stateless!(Partial);

/// All methods are alike, so that one that is taken for another is called in its place.
#[rpc_parallel::worker]
pub(crate) trait Conditional {
    #[cfg(any())]
    async fn never(&self) -> u8;
    #[cfg(unix)]
    #[cfg(not(any()))]
    async fn first(&self) -> u8;
    #[cfg(unix)]
    #[cfg(any())]
    async fn never_either(&self) -> u8;
    async fn second(&self) -> u8;
    #[cfg(unix)]
    async fn third(&self) -> u8;
    #[cfg(any())]
    async fn never_at_last(&self) -> u8;
}

#[rpc_parallel::worker]
impl Conditional for Partial {
    async fn first(&self) -> u8 {
        1
    }
    async fn second(&self) -> u8 {
        2
    }
    async fn third(&self) -> u8 {
        3
    }
}

#[rpc_parallel::worker]
pub(crate) trait Nothing {
    #[cfg(any())]
    async fn never(&self) -> u8;
}

/// Methods under `#[cfg]` that are not there leave no gap.
#[tokio::test]
async fn methods_behind_absent_ones_are_themselves() {
    let client: ConditionalClient = Partial::spawn(()).connect().await.unwrap();
    assert_eq!(client.first().await.unwrap(), 1);
    assert_eq!(client.second().await.unwrap(), 2);
    assert_eq!(client.third().await.unwrap(), 3);
    let names: Vec<_> = ConditionalClient::INTERFACE.functions.iter().map(|function| function.name).collect();
    let expected = ["first", "second", "third"].map(|name| format!("conformance::functions::Conditional::{name}"));
    assert_eq!(names, expected);
    assert_eq!(NothingClient::INTERFACE.functions.len(), 0);
}
