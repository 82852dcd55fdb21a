//! How long a worker lives, and who gets a failure of its beginning.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rpc_parallel::{Client, ConnectError, Fault, Init, ServeError, Spawn, SpawnError, Worker, WorkerContext};

use crate::{
    harness::AwaitError,
    support::{Leftover, Program, alive, from_hex, gone, until, within},
};

/// A worker whose beginning may fail.
pub(crate) struct Begun(AtomicU64);

impl Init for Begun {
    type Arg = String;
    type Error = Fault;

    async fn init(how: String, _: &WorkerContext) -> Result<Self, Fault> {
        match how.as_str() {
            "error" => Err(Fault::new("text of expected failure")),
            "panic" => panic!("text of expected failure"),
            "exit" => {
                eprintln!("text of expected failure");
                std::process::exit(7);
            }
            _ => Ok(Self(AtomicU64::new(0))),
        }
    }
}

#[rpc_parallel::worker]
pub(crate) trait Begin {
    async fn pid(&self) -> u32;
    async fn bump(&self) -> u64;
}

#[rpc_parallel::worker]
impl Begin for Begun {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn bump(&self) -> u64 {
        self.0.fetch_add(1, Relaxed) + 1
    }
}

/// A worker that is bound to a client ends when that closes, or when the last clone of it is dropped. Rust: there is no
/// handle of such a worker, so nobody else can be connected.
#[tokio::test]
async fn c067_a_worker_ends_with_its_client() {
    let client = Begun::spawn(String::new()).connect().await.unwrap();
    let pid = client.pid().await.unwrap();
    let clone = client.clone();
    drop(client);
    assert_eq!(clone.bump().await.unwrap(), 1);
    assert!(alive(pid));
    drop(clone);
    gone(pid).await;

    let client = Begun::spawn(String::new()).connect().await.unwrap();
    let pid = client.pid().await.unwrap();
    client.close();
    gone(pid).await;
    assert!(client.is_closed() && client.bump().await.is_err());
}

/// A worker that is owned takes clients that come and go, and ends with its owner.
#[tokio::test]
async fn c068_a_worker_ends_with_its_owner() {
    let worker = Begun::spawn(String::new()).await.unwrap();
    for expected in 1..=3 {
        let client = worker.connect().await.unwrap();
        assert_eq!(client.bump().await.unwrap(), expected);
        client.close();
        within(client.closed()).await;
    }
    assert!(worker.try_exit().is_none());
    let client = worker.connect().await.unwrap();
    assert_eq!(client.bump().await.unwrap(), 4);
    let pid = worker.pid();
    drop(worker);
    gone(pid).await;
    assert!(client.bump().await.is_err());
}

/// A worker that is detached outlives its master, serves whoever has its handle, and ends when it is asked to.
#[tokio::test]
async fn c069_a_detached_worker_ends_when_it_is_told_to() {
    // Its master ends at once, at whatever the worker is saying then.
    for _ in 0..8 {
        let mut program = Program::start(&["detach"]);
        let pid = program.numbers()[0];
        let _leftover = Leftover(pid);
        let handle = program.line();
        assert!(program.finish().0.success());
        for expected in ["1\n", "2\n"] {
            let (status, stdout, stderr) = Program::start(&["bump", &handle]).finish();
            assert!(status.success(), "{stderr}");
            assert_eq!(stdout, expected);
        }
        assert!(alive(pid));
        assert!(Program::start(&["shutdown", &handle]).finish().0.success());
        gone(pid).await;
        // What the handle says can be read by any program.
        let handle: Worker<BeginClient> = from_hex(&handle);
        assert_eq!(handle.pid(), pid);
    }
}

/// However the master ends, its workers do: those it owns and those whose client it has.
#[tokio::test]
async fn c070_workers_end_with_their_master() {
    for how in ["return", "exit", "panic", "abort", "kill"] {
        let mut program = Program::start(&["hold"]);
        let pids = program.numbers();
        assert!(pids.len() == 2 && pids.iter().all(|pid| alive(*pid)), "{how}");
        if how == "kill" {
            program.kill();
        } else {
            program.tell(how);
            assert_eq!(program.finish().0.success(), how == "return");
        }
        for pid in pids {
            gone(pid).await;
        }
    }
}

/// A shutdown is a request by handle: it is on its way when it returns, and an error if nobody is there.
#[tokio::test]
async fn c071_shutdown_is_a_request() {
    let worker = Begun::spawn(String::new()).await.unwrap();
    let handle = worker.worker().clone();
    within(handle.shutdown()).await.unwrap();
    let report = within(worker.exit()).await;
    assert!(report.exit.is_success(), "{report}");
    match within(handle.shutdown()).await {
        Err(error @ ConnectError::Unreachable { .. }) => {
            assert!(error.to_string().contains("cannot reach worker"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

/// A server that is closed takes no further connections and is otherwise as before; to close it again does nothing.
#[tokio::test]
async fn c073_a_closed_server_keeps_its_connections() {
    let served = Begun::serve(String::new()).await.unwrap();
    let other = Begun::serve(String::new()).await.unwrap();
    let client = served.connect().await.unwrap();
    served.close_server();
    served.close_server();
    until("the server refuses", async || served.connect().await.is_err()).await;
    assert_eq!(client.bump().await.unwrap(), 1);
    assert_eq!(other.connect().await.unwrap().bump().await.unwrap(), 1);
    // Neither does dropping it touch them.
    drop(served);
    assert_eq!(client.bump().await.unwrap(), 2);
}

/// What fails before a worker is there is the spawn's error, at once and with its reason, and nothing is left.
#[tokio::test]
async fn c075_a_failed_beginning_is_the_spawners_error() {
    for how in ["error", "panic"] {
        match within(Begun::spawn(how.to_owned()).name("bad").await_error()).await {
            SpawnError::Init { name, fault } => {
                assert_eq!(name, "bad");
                assert!(fault.message().contains("text of expected failure"), "{fault}");
            }
            other => panic!("{other:?}"),
        }
        match within(Begun::serve(how.to_owned()).into_future()).await {
            Err(ServeError::Init(fault)) => assert!(fault.message().contains("text of expected failure"), "{fault}"),
            other => panic!("{other:?}"),
        }
    }
    match within(Begun::spawn("exit".to_owned()).await_error()).await {
        SpawnError::Died(report) => {
            assert_eq!(report.exit, rpc_parallel::Exit::Code(7));
            assert_eq!(report.stderr, ["text of expected failure"]);
            gone(report.pid).await;
        }
        other => panic!("{other:?}"),
    }
}
