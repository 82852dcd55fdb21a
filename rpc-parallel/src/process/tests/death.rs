//! Ends, and what they are reported as.

use std::time::Duration;

use super::*;
use crate::{
    Exit,
    process::{Stderr, watch::ExitWatch},
};

const SOON: Duration = Duration::from_secs(10);
const KILLED: Exit = Exit::Signal { signal: 9, core_dumped: false };

#[tokio::test]
async fn a_signal_is_reported_with_the_last_words() {
    let (process, _) = started("victim", "stderr nearly there\nready\nwait").await;
    // It is ours and was not reaped, so the pid is its own.
    kill_process(Pid::from_raw(process.pid() as i32).unwrap(), Signal::TERM).unwrap();
    let report = process.exit().await;
    assert_eq!(report.exit, Exit::Signal { signal: 15, core_dumped: false });
    assert_eq!(report.stderr, ["nearly there"]);
    assert_eq!((report.name.as_str(), report.pid), ("victim", process.pid()));
    assert_eq!(process.try_exit(), Some(report));
}

#[tokio::test]
async fn crashes_are_reported() {
    for (command, expected) in [("abort", 6), ("overflow", 11)] {
        let (process, _) = started("crash", &format!("ready\n{command}")).await;
        let exit = process.exit().await.exit;
        assert!(matches!(exit, Exit::Signal { signal, .. } if signal == expected), "{exit}");
    }
}

#[tokio::test]
async fn the_last_twenty_lines_are_told() {
    for stderr in [Stderr::Relay, Stderr::Capture] {
        let mut launch_it = worker("talker", "lines 3000\nready\nlines 50\nexit 1");
        launch_it.stderr = stderr;
        let (process, ..) = launch(launch_it).await.unwrap();
        let report = process.exit().await;
        let expected: Vec<String> = (30..50).map(|n| format!("line {n}")).collect();
        assert_eq!(report.stderr, expected);
    }
}

#[tokio::test]
async fn shutdown_is_graceful() {
    let (process, _) = started("polite", "on-shutdown 42\nready\nwait").await;
    process.shutdown();
    assert_eq!(process.exit().await.exit, Exit::Code(42));
    // A worker that installed nothing yet just exits.
    let (process, _) = started("simple", "ready\nspin").await;
    process.shutdown();
    assert_eq!(process.exit().await.exit, Exit::Code(0));
}

#[tokio::test]
async fn who_does_not_end_is_killed_after_the_grace() {
    let name = token("stubborn");
    let mut launch_it = worker(&name, "stubborn\nready\nspin");
    launch_it.grace = Duration::from_millis(100);
    let (process, ..) = launch(launch_it).await.unwrap();
    process.shutdown();
    assert_eq!(process.exit().await.exit, KILLED);
    assert_eq!(with_token(&name), []);
}

#[tokio::test]
async fn a_stopped_worker_is_killed_too() {
    let (process, _) = started("stopped", "ready\nstop").await;
    process.kill();
    assert_eq!(process.exit().await.exit, KILLED);
}

#[tokio::test]
async fn an_owner_shuts_down_when_it_is_dropped() {
    let (process, _) = started("owned", "on-shutdown 5\nready\nwait").await;
    drop(process.owned().release());
    assert!(process.try_exit().is_none());
    drop(process.owned());
    assert_eq!(process.exit().await.exit, Exit::Code(5));
}

#[test]
fn a_death_is_seen_in_every_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let launching = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (process, _) = launching.block_on(started("seen", "ready\nwait"));
    drop(launching);
    let waiters: Vec<_> = (0..4)
        .map(|_| {
            let process = process.clone();
            thread::spawn(move || runtime().block_on(process.exit()))
        })
        .collect();
    process.kill();
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap().exit, KILLED);
    }
}

/// P4.
#[tokio::test]
async fn plain_processes_die_with_their_worker() {
    let name = token("plain");
    let (process, _) = started("parent", &format!("plain {name}\nready\nexit 0")).await;
    let report = process.exit().await;
    assert_eq!(report.exit, Exit::Code(0));
    eventually(SOON, "the plain process is gone", || with_token(&name).is_empty());
}

#[tokio::test]
async fn without_a_pidfd_a_death_is_seen_too() {
    let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let watch = ExitWatch::polling(Pid::from_child(&child));
    assert!(tokio::time::timeout(Duration::from_millis(30), watch.ended()).await.is_err());
    child.kill().unwrap();
    watch.ended().await;
    child.wait().unwrap();
}
