//! Programs without the hook: `cargo test --no-default-features --lib no_entry`.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use super::*;
use crate::{
    Exit,
    process::{NoEntry, Program, Redirect},
};

/// The steps share what this process remembers of its entry, so they are one test.
#[tokio::test]
async fn nothing_starts_without_an_entry() {
    let error = refused(worker("none", "ready")).await;
    assert!(matches!(error, LaunchError::NoEntry(NoEntry::NotEntered)), "{error:?}");
    assert!(error.to_string().contains("call rpc_parallel::init() first thing"), "{error}");

    // A program that claims to have an entry, as this one does in its parent only: its child runs its own main, here
    // that of the test harness with arguments that match no test.
    crate::init();
    let name = token("harness");
    let mut launch_it = worker(&name, "ready");
    launch_it.stdout = Redirect::Null;
    let error = refused(launch_it).await;
    let LaunchError::NotAWorker(other) = &error else { panic!("{error:?}") };
    assert_eq!(other.exit, Some(Exit::Code(0)));
    eventually(Duration::from_secs(10), "nothing runs", || with_token(&name).is_empty());

    the_entry_in_main_takes_over().await;
}

/// What a worker's own main meets when it goes on to launch workers.
#[test]
fn a_child_that_nobody_took_over_starts_nothing() {
    let output = Command::new("/proc/self/exe")
        .args(["--ignored", "--exact", "process::tests::no_entry::launched_with_the_marker"])
        .env("RPC_PARALLEL_WORKER", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

#[ignore = "runs as a child of the test above"]
#[tokio::test]
async fn launched_with_the_marker() {
    let error = refused(worker("bomb", "ready")).await;
    assert!(matches!(error, LaunchError::NoEntry(NoEntry::NobodyTookOver)), "{error:?}");
}

async fn the_entry_in_main_takes_over() {
    let mut launch_it = worker("entered", "facts");
    launch_it.env = vec![("ENTER_BEFORE_MAIN".into(), "1".into())];
    let (_, ready, _) = launch(launch_it).await.unwrap();
    let facts = String::from_utf8(ready).unwrap();
    assert!(facts.starts_with("marker=false comm=entered stdin=/dev/null"), "{facts}");

    let mut launch_it = worker("too-late", "ready");
    launch_it.program = Program::Path(std::env::current_exe().unwrap());
    launch_it.args = ["--ignored", "--exact", "process::tests::no_entry::enters"].map(Into::into).to_vec();
    let error = refused(launch_it).await.to_string();
    assert!(error.contains("before any thread is started"), "{error}");
}

/// Stands for a main of the user's, which the harness does not let us have.
extern "C" fn main_of_a_program() {
    if std::env::var_os("ENTER_BEFORE_MAIN").is_some() {
        crate::init();
    }
}

#[used]
// SAFETY: the section holds pointers to functions that take what this one ignores.
#[unsafe(link_section = ".init_array")]
static MAIN_OF_A_PROGRAM: extern "C" fn() = main_of_a_program;

#[ignore = "runs as a child of the test above"]
#[test]
fn enters() {
    crate::init();
}
