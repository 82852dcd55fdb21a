//! Spawning from inside a test harness: of any binary of tests, in any of its files, without a line of preparation.

use std::process::{Command, Stdio};

use futures_util::{Stream, StreamExt, future::join_all, stream};
use rpc_parallel::{Spawn, SpawnError};

use crate::{
    examples::Increment,
    examples_processes::{Counter, Printer},
    support::{all, stateless, within},
};

stateless!(Stateful);

#[rpc_parallel::worker]
pub(crate) trait Hello {
    async fn pid(&self) -> u32;
    async fn string_and_updates(&self, count: usize) -> Result<(String, impl Stream<Item = char>), String>;
}

#[rpc_parallel::worker]
impl Hello for Stateful {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn string_and_updates(&self, count: usize) -> Result<(String, impl Stream<Item = char>), String> {
        Ok(("hello world ".to_owned(), stream::iter(('a'..='z').take(count))))
    }
}

/// Many workers of one test binary at once, all in processes of their own that run no test.
#[tokio::test]
async fn c016_workers_in_a_test_binary() {
    let clients = join_all((0..4).map(|_| Stateful::spawn(()).connect().into_future())).await;
    let mut pids = std::collections::HashSet::from([std::process::id()]);
    for client in clients {
        pids.insert(client.unwrap().pid().await.unwrap());
    }
    assert_eq!(pids.len(), 5);
}

/// Worker types of two other files of the binary, used together in a third.
#[tokio::test]
async fn c017_workers_of_other_files() {
    let (increment, counter) = (Increment::spawn(41), Counter::spawn(()));
    let (increment, counter) = (increment.connect().await.unwrap(), counter.connect().await.unwrap());
    assert_eq!(increment.inc().await.unwrap(), 42);
    assert_eq!(counter.ping().await.unwrap(), 1);
    // Nothing is printed but what the worker prints: no output of a harness is mixed in.
    let scratch = crate::support::Scratch::new();
    let out = scratch.file("out");
    let printer = Printer::spawn(()).stdout(rpc_parallel::Redirect::Truncate(out.clone())).await.unwrap();
    printer.connect().await.unwrap().print("only this".into()).await.unwrap();
    assert!(within(printer.shutdown()).await.exit.is_success());
    assert_eq!(std::fs::read_to_string(out).unwrap(), "only this");
}

/// A first value comes with the reply, its updates afterwards, and their end is clean.
#[tokio::test]
async fn c018_a_state_and_its_updates() {
    let client = Stateful::spawn(()).connect().await.unwrap();
    let (mut text, updates) = client.string_and_updates(10).await.unwrap();
    assert_eq!(text, "hello world ");
    text.extend(all(updates).await);
    assert_eq!(text, "hello world abcdefghij");
}

/// A program that cannot become a worker is a clear error that says what to do; a test binary that is started as one
/// by mistake says so too, and runs no test.
#[tokio::test]
async fn c021_what_is_no_worker_says_so() {
    match within(Stateful::spawn(()).executable("/bin/sh").await_error()).await {
        SpawnError::NotAWorker { text, .. } => {
            assert!(text.contains("rpc_parallel::main") && text.contains("rpc_parallel::init()"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .env("RPC_PARALLEL_WORKER", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("started as a worker, but cannot be one"), "{stderr}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

/// The error of a spawn that must fail.
pub(crate) trait AwaitError {
    fn await_error(self) -> impl Future<Output = SpawnError>;
}

impl<S, T> AwaitError for S
where
    S: IntoFuture<Output = Result<T, SpawnError>>,
{
    async fn await_error(self) -> SpawnError {
        self.await.map(drop).expect_err("it must fail")
    }
}

#[tokio::test]
async fn streams_of_other_workers_do_not_mix() {
    let clients = join_all((1..=3).map(|_| Stateful::spawn(()).connect().into_future())).await;
    let texts = clients.into_iter().enumerate().map(|(i, client)| async move {
        let (_, updates) = client.unwrap().string_and_updates(i + 1).await.unwrap();
        updates.map(Result::unwrap).collect::<String>().await
    });
    assert_eq!(within(join_all(texts)).await, ["a", "ab", "abc"]);
}
