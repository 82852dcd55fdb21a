//! Tests are masters without anything to add to them.

use std::{env, fs, io::Write};

use rpc_parallel::Spawn;
use rpc_parallel_tests::Probe;

/// The file in which every test of this binary signs when it runs in a process that has this variable.
const COUNT: &str = "RPC_PARALLEL_TEST_COUNT";

fn sign() {
    if let Some(path) = env::var_os(COUNT) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(b"a test ran\n").unwrap();
    }
}

async fn talk() {
    sign();
    let worker = Probe::spawn(()).await.unwrap();
    let client = worker.connect().await.unwrap();
    assert_eq!(client.echo("hello").await.unwrap(), "hello");
    assert_ne!(client.pid().await.unwrap(), std::process::id());
    assert!(worker.shutdown().await.exit.is_success());
}

#[test]
fn a_plain_test_with_its_own_runtime() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(talk());
}

#[tokio::test]
async fn a_tokio_test() {
    talk().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tokio_test_with_threads() {
    talk().await;
}

#[tokio::test]
async fn a_child_runs_no_test() {
    sign();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("count");
    for _ in 0..10 {
        let worker = Probe::spawn(()).env(COUNT, &path).await.unwrap();
        let client = worker.connect().await.unwrap();
        // Neither our arguments, such as the filter of `cargo test`, nor anything that libtest would take for one.
        let args = client.args().await.unwrap();
        assert_eq!(args.get(1).map(String::as_str), Some("rpc-parallel-worker"), "{args:?}");
        drop(worker.shutdown().await);
    }
    assert!(!path.exists(), "a test ran in a worker");
}

#[tokio::test]
async fn the_marker_is_not_passed_on() {
    let worker = Probe::spawn(()).await.unwrap();
    let client = worker.connect().await.unwrap();
    assert_eq!(client.has_variable("RPC_PARALLEL_WORKER".into()).await.unwrap(), (false, false));
    assert_eq!(client.has_variable("PATH".into()).await.unwrap(), (true, true));
}

/// Of an executable that is named it is not known what it is, so the two sides greet each other.
#[tokio::test]
async fn a_worker_of_a_named_executable() {
    let program = env::current_exe().unwrap();
    let worker = Probe::spawn(()).executable(&program).await.unwrap();
    assert_eq!(worker.connect().await.unwrap().echo("first").await.unwrap(), "first");
    assert_eq!(worker.connect().await.unwrap().echo("second").await.unwrap(), "second");
    assert!(worker.shutdown().await.exit.is_success());
    let bound = Probe::spawn(()).executable(&program).connect().await.unwrap();
    assert_eq!(bound.echo("bound").await.unwrap(), "bound");
}
