//! Calls: their order, their failures, and what becomes of open ones when the connection dies.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex},
};

use futures_util::{Stream, StreamExt, future::join_all, stream};
use rpc_parallel::{CallError, CloseKind, Closer, Exit, Init, Spawn, WorkerContext};
use serde::{Deserialize, Deserializer, Serialize, de};
use tokio::sync::Semaphore;

use crate::support::{tells_exit, within};

/// A worker whose calls wait until they are let go on.
pub(crate) struct Gates {
    order: Mutex<Vec<u32>>,
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Init for Gates {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { order: Mutex::default(), gates: Mutex::default() })
    }
}

impl Gates {
    fn gate(&self, name: &str) -> Arc<Semaphore> {
        let mut gates = self.gates.lock().unwrap();
        Arc::clone(gates.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }
}

/// A number that cannot be decoded if it is 13.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Lucky(pub(crate) u32);

impl<'de> Deserialize<'de> for Lucky {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            13 => Err(de::Error::custom("unlucky")),
            n => Ok(Self(n)),
        }
    }
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no {}", self.0)
    }
}

#[rpc_parallel::worker]
pub(crate) trait Gated {
    /// Comes back once the gate is opened, with the gate's name.
    async fn wait(&self, gate: String) -> String;
    async fn open(&self, gate: String);
    async fn note(&self, n: u32);
    #[rpc(one_way)]
    fn note_silently(&self, n: u32);
    async fn notes(&self) -> Vec<u32>;
    async fn pending(&self) -> impl Stream<Item = u32>;
    async fn pending_state(&self) -> Result<(u32, impl Stream<Item = u32>), Missing>;
    async fn find(&self, what: &str) -> Result<impl Stream<Item = u32>, Missing>;
    async fn count(&self, values: impl Stream<Item = u32>) -> usize;
    fn blocking(&self, how: &str) -> u32;
    async fn lucky(&self, n: Lucky) -> u32;
    async fn pid(&self) -> u32;
}

#[rpc_parallel::worker]
impl Gated for Gates {
    async fn wait(&self, gate: String) -> String {
        let semaphore = self.gate(&gate);
        semaphore.acquire().await.unwrap().forget();
        gate
    }
    async fn open(&self, gate: String) {
        self.gate(&gate).add_permits(1);
    }
    async fn note(&self, n: u32) {
        self.order.lock().unwrap().push(n);
        if n.is_multiple_of(3) {
            tokio::task::yield_now().await;
        }
    }
    fn note_silently(&self, n: u32) {
        self.order.lock().unwrap().push(n);
    }
    async fn notes(&self) -> Vec<u32> {
        self.order.lock().unwrap().clone()
    }
    async fn pending(&self) -> impl Stream<Item = u32> {
        stream::pending()
    }
    async fn pending_state(&self) -> Result<(u32, impl Stream<Item = u32>), Missing> {
        Ok((5, stream::pending()))
    }
    async fn find(&self, what: &str) -> Result<impl Stream<Item = u32>, Missing> {
        match what {
            "panic" => panic!("text of expected failure"),
            "late panic" => {
                tokio::task::yield_now().await;
                panic!("text of expected failure")
            }
            "this" => Ok(stream::iter(0..3)),
            _ => Err(Missing(what.to_owned())),
        }
    }
    async fn count(&self, values: impl Stream<Item = u32> + Send + Unpin) -> usize {
        values.count().await
    }
    fn blocking(&self, how: &str) -> u32 {
        assert_eq!(how, "well", "text of expected failure");
        8
    }
    async fn lucky(&self, n: Lucky) -> u32 {
        n.0
    }
    async fn pid(&self) -> u32 {
        std::process::id()
    }
}

/// Calls and one-way messages of one connection are started in the order in which they were made; those that wait may
/// be overtaken.
#[tokio::test]
async fn c121_calls_start_in_order() {
    let client = Gates::spawn(()).connect().await.unwrap();
    let calls: Vec<_> = (0..1000_u32)
        .map(|n| if n % 2 == 0 { client.note(n).start() } else { client.note_silently(n).start() })
        .collect();
    let notes = client.notes().start();
    for call in within(join_all(calls)).await {
        call.unwrap();
    }
    assert_eq!(within(notes).await.unwrap(), (0..1000).collect::<Vec<_>>());

    let first = client.wait("first".into()).start();
    client.open("second".into()).await.unwrap();
    assert_eq!(within(client.wait("second".into())).await.unwrap(), "second");
    client.open("first".into()).await.unwrap();
    assert_eq!(within(first).await.unwrap(), "first");
}

/// A call that gives a stream has its reply when the stream begins, not when it ends.
#[tokio::test]
async fn c122_a_stream_is_there_before_its_end() {
    let client = Gates::spawn(()).connect().await.unwrap();
    let stream = within(client.pending()).await.unwrap();
    let (first, updates) = within(client.pending_state()).await.unwrap();
    assert_eq!(first, 5);
    drop((stream, updates));
}

/// A stream's handler that fails: with its own error, which is the call's, or with a panic.
#[tokio::test]
async fn c123_a_handler_that_fails_gives_no_stream() {
    let client = Gates::spawn(()).connect().await.unwrap();
    match within(client.find("that")).await {
        Err(CallError::App(missing)) => assert_eq!(missing, Missing("that".into())),
        other => panic!("{other:?}"),
    }
    for how in ["panic", "late panic"] {
        match within(client.find(how)).await {
            Err(CallError::Panicked(report)) => {
                assert_eq!(report.message, "text of expected failure");
                assert!(report.location.unwrap().contains("calls.rs"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(crate::support::all(client.find("this").await.unwrap()).await, [0, 1, 2]);
}

/// A panic of a handler comes with its message and place, also from where blocking is allowed, and the call says so.
#[tokio::test]
async fn c124_a_panic_comes_with_its_place() {
    let client = Gates::spawn(()).connect().await.unwrap();
    let error = within(client.blocking("badly")).await.unwrap_err();
    let text = error.to_string();
    match error {
        CallError::Panicked(report) => {
            assert!(report.message.contains("text of expected failure") && report.message.contains("badly"));
            assert!(report.location.unwrap().contains("calls.rs:"));
        }
        other => panic!("{other:?}"),
    }
    for part in ["panicked at", "calls.rs:", "text of expected failure", "the worker lives on"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(within(client.blocking("well")).await.unwrap(), 8);
}

/// Arguments that the worker cannot decode are that call's error alone.
#[tokio::test]
async fn c125_undecodable_arguments() {
    let client = Gates::spawn(()).connect().await.unwrap();
    let open = client.wait("gate".into()).start();
    match within(client.lucky(Lucky(13))).await {
        Err(CallError::Decode(text)) => {
            assert!(text.contains("the worker cannot decode") && text.contains("`n`"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.lucky(Lucky(12)).await.unwrap(), 12);
    client.open("gate".into()).await.unwrap();
    assert_eq!(within(open).await.unwrap(), "gate");
}

/// When a connection dies everything that is open on it learns of it, with its cause where that is known, and what comes
/// later fails at once.
#[tokio::test]
async fn c128_open_calls_learn_of_the_end() {
    let worker = Gates::spawn(()).await.unwrap();
    // The owner's client knows the process; another one knows its connection, and may be told by the kernel.
    let ours = worker.connect().await.unwrap();
    let other = worker.worker().clone().connect().await.unwrap();
    let mut calls = Vec::new();
    let mut streams = Vec::new();
    for client in [&ours, &other] {
        calls.extend((0..50).map(|i| client.wait(i.to_string()).start()));
        streams.push(within(client.pending()).await.unwrap());
    }
    let uploads = [&ours, &other].map(|client| client.count(stream::pending()).start());
    // The streams' calls are there, and so are the calls before them; now for the uploads.
    other.pid().await.unwrap();
    ours.pid().await.unwrap();
    crate::support::kill(worker.pid());

    let died = |error: &CallError| matches!(error, CallError::WorkerDied(report) if report.exit == Exit::Signal { signal: 9, core_dumped: false });
    let lost = |error: &CallError| match error {
        CallError::WorkerDied(_) => tells_exit() && died(error),
        CallError::Disconnected(lost) => {
            assert!(!tells_exit());
            lost.reason().closer() == Closer::Nobody && lost.reason().kind() == CloseKind::Eof
        }
        _ => false,
    };
    for (i, result) in within(join_all(calls)).await.into_iter().enumerate() {
        let error = result.unwrap_err();
        assert!(if i < 50 { died(&error) } else { lost(&error) }, "{i}: {error:?}");
    }
    let [first, second] = uploads;
    assert!(died(&within(first).await.unwrap_err()) && lost(&within(second).await.unwrap_err()));
    let mut streams = streams.into_iter();
    let mut end = async || within(streams.next().unwrap().next()).await.unwrap().unwrap_err();
    assert!(died(&end().await));
    assert!(lost(&end().await));
    assert!(died(&within(ours.pid()).await.unwrap_err()) && lost(&within(other.pid()).await.unwrap_err()));
    assert!(ours.pid().await.unwrap_err().is_disconnected());
}

/// What is set after the end of a call is of no consequence for those after it, which are put together where it was.
#[tokio::test]
async fn a_deadline_that_is_set_too_late_is_nobodys() {
    let client = Gates::spawn(()).connect().await.unwrap();
    let mut over = client.note(1);
    within(&mut over).await.unwrap();
    drop(over.deadline(std::time::Duration::from_millis(1)));
    let waiting = client.wait("late".into()).start();
    // Longer than that deadline.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    within(client.open("late".into())).await.unwrap();
    assert_eq!(within(waiting).await.unwrap(), "late");
}
