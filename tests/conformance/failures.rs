//! Things that go wrong: what the caller gets, and what is left.

use std::{path::PathBuf, sync::Arc};

use rpc_parallel::{CallError, Client, ConnectError, ConnectionState, Fault, Init, Spawn, SpawnError, WorkerContext};

use crate::{
    harness::AwaitError,
    support::{Leftover, Program, Scratch, alive, gone, stateless, until, within},
};

stateless!(Knows);

/// A worker that writes down its process id, and whose connections may be refused.
pub(crate) struct Picky(u64);

impl Init for Picky {
    type Arg = Option<PathBuf>;
    type Error = Fault;

    async fn init(note: Option<PathBuf>, _: &WorkerContext) -> Result<Self, Fault> {
        if let Some(note) = note {
            std::fs::write(note, std::process::id().to_string())?;
        }
        Ok(Self(12))
    }
}

pub(crate) struct Connected(Arc<Picky>);

impl ConnectionState for Connected {
    type Worker = Picky;
    type Arg = String;
    type Error = Fault;

    async fn open(worker: &Arc<Picky>, how: String) -> Result<Arc<Self>, Fault> {
        match how.as_str() {
            "error" => Err(Fault::new("text of expected failure")),
            "panic" => panic!("text of expected panic"),
            _ => Ok(Arc::new(Self(Arc::clone(worker)))),
        }
    }
}

#[rpc_parallel::worker(connect = String)]
pub(crate) trait Connects {
    async fn state(&self) -> u64;
    async fn panic(&self, text: String);
}

#[rpc_parallel::worker]
impl Connects for Connected {
    async fn state(&self) -> u64 {
        self.0.0
    }
    async fn panic(&self, text: String) {
        panic!("{text}");
    }
}

/// A connection that is refused costs the worker nothing.
#[tokio::test]
async fn c032_a_refused_connection_leaves_the_worker_alone() {
    let worker = Picky::spawn(None).detach().await.unwrap();
    let _leftover = Leftover(worker.pid());
    for (how, expected) in [("error", "text of expected failure"), ("panic", "text of expected panic")] {
        match within(worker.connect_with(how.to_owned())).await {
            Err(ConnectError::Refused { fault, .. }) => assert!(fault.message().contains(expected), "{fault}"),
            other => panic!("{other:?}"),
        }
        assert!(alive(worker.pid()));
        let client = within(worker.connect_with("ok".to_owned())).await.unwrap();
        assert_eq!(client.state().await.unwrap(), 12);
    }
    worker.shutdown().await.unwrap();
    gone(worker.pid()).await;
}

/// The same for the connection that a worker's life is bound to: the spawn fails, and the worker ends.
#[tokio::test]
async fn c033_a_refused_first_connection_ends_the_worker() {
    let scratch = Scratch::new();
    for how in ["error", "panic"] {
        let note = scratch.file(how);
        match within(Picky::spawn(Some(note.clone())).connect_with(how.to_owned()).await_error()).await {
            SpawnError::Connect(ConnectError::Refused { fault, .. }) => {
                assert!(fault.message().contains("text of expected"), "{fault}");
            }
            other => panic!("{other:?}"),
        }
        gone(std::fs::read_to_string(note).unwrap().parse().unwrap()).await;
    }
}

/// Workers are started from the image that runs, whatever has become of its file.
#[tokio::test]
async fn c034_the_executable_may_be_renamed_and_removed() {
    let scratch = Scratch::new();
    let (first, second) = (scratch.file("program"), scratch.file("renamed"));
    std::fs::copy(Program::PATH, &first).unwrap();
    let mut program = Program::start_at(&first, &["image"]);
    // The workers print too.
    let answer = |program: &mut Program| loop {
        let line = program.line();
        if !line.starts_with("on stdout") {
            return line;
        }
    };
    assert_eq!(answer(&mut program), "45");
    std::fs::rename(&first, &second).unwrap();
    program.tell("again");
    assert_eq!(answer(&mut program), "861");
    // Another file in its place is not what is started.
    std::fs::write(&first, "#!/bin/false\n").unwrap();
    program.tell("again");
    assert_eq!(answer(&mut program), "861");
    std::fs::remove_file(&second).unwrap();
    program.tell("again");
    assert_eq!(answer(&mut program), "861");
    program.tell("end");
    assert!(program.finish().0.success());
}

/// A handler that panics is its caller's error; the connection and the worker are as before.
#[tokio::test]
async fn c035_a_panic_is_the_callers_error() {
    let worker = Picky::spawn(None).await.unwrap();
    let client = worker.connect_with(String::new()).await.unwrap();
    match within(client.panic("text of expected failure".into())).await {
        Err(CallError::Panicked(report)) => {
            assert_eq!(report.message, "text of expected failure");
            assert!(report.location.unwrap().contains("failures.rs"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.state().await.unwrap(), 12);
    assert!(worker.try_exit().is_none() && !client.is_closed());
}

/// A spawn that times out and one whose connection is refused leave neither a process nor a zombie.
#[tokio::test]
async fn c036_no_zombies() {
    let (status, stdout, stderr) = Program::start(&["zombies"]).finish();
    assert!(status.success(), "{stderr}");
    assert_eq!(stdout, "No zombies\nNo zombies\n");
}

/// The same functions as `Known`, and more: made by hand, since a client has the functions of its trait alone.
#[rpc_parallel::worker(name = "conformance.known")]
pub(crate) trait Unknown {
    #[rpc(name = "conformance.known.good")]
    async fn good(&self, n: u64) -> u64;
    #[rpc(name = "conformance.known.never")]
    async fn never(&self, n: u64) -> u64;
    #[rpc(name = "conformance.known.stream")]
    async fn stream(&self, values: impl futures_util::Stream<Item = u64>) -> u64;
    #[rpc(name = "conformance.known.one_way", one_way)]
    fn one_way(&self, n: u64);
}

#[rpc_parallel::worker(name = "conformance.known")]
pub(crate) trait Known {
    #[rpc(name = "conformance.known.good")]
    async fn good(&self, n: u64) -> u64;
}

#[rpc_parallel::worker]
impl Known for Knows {
    async fn good(&self, n: u64) -> u64 {
        n + 12
    }
}

/// A function that the worker does not have is an error that names what it has, never a hang. Rust: the connection
/// lives; so does a caller's stream to nowhere not go on for ever.
#[tokio::test]
async fn c039_an_unknown_function_is_an_error() {
    let worker = Knows::spawn(()).await.unwrap();
    let client: UnknownClient = worker.interface::<UnknownClient>().connect().await.unwrap();
    match within(client.never(1)).await {
        Err(CallError::Mismatch(text)) => {
            assert!(text.contains("has no function") && text.contains("good"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    let produced = Arc::new(());
    let held = Arc::clone(&produced);
    let endless = futures_util::stream::repeat_with(move || Arc::strong_count(&held) as u64);
    assert!(matches!(within(client.stream(endless)).await, Err(CallError::Mismatch(_))));
    until("the caller's stream is dropped", async || Arc::strong_count(&produced) == 1).await;
    within(client.one_way(1)).await.unwrap();
    assert_eq!(within(client.good(30)).await.unwrap(), 42);
    assert!(worker.try_exit().is_none());
}
