//! What ends a worker, and what does not.

use std::time::Duration;

use futures_util::StreamExt;
use rpc_parallel::{Exit, Redirect, Spawn, Spawned, Worker};
use rpc_parallel_tests::{EchoClient, LONG, Probe, Process, Random, alone, is_listening, wait_until, within};
use rustix::process::Signal;
use tokio::time::timeout;

use crate::target::{AimClient, Crash, Target};

/// Waits for the end of what ends at once. The wait blocks this thread and not the keeper's.
fn ends(process: Process) -> bool {
    tokio::task::block_in_place(|| wait_until(LONG, || process.is_gone()))
}

fn process<C>(worker: &Worker<C>) -> Process {
    Process::of(worker.pid()).unwrap()
}

async fn target() -> (Spawned<AimClient>, AimClient) {
    // With the default grace the tests of workers that do not listen would take five seconds.
    let worker = Target::spawn::<AimClient>(()).grace(Duration::from_millis(100)).await.unwrap();
    let client = worker.connect().await.unwrap();
    (worker, client)
}

#[test]
fn dropping_the_owner_ends_the_worker() {
    alone(async {
        let worker = Probe::spawn(()).await.unwrap();
        let (process, address) = (process(&worker), worker.address().clone());
        assert!(is_listening(&address));
        let client = worker.connect().await.unwrap();
        drop(worker);
        assert!(ends(process));
        assert!(!is_listening(&address));
        let error = within("echo", async { client.echo("x").await }).await.unwrap_err();
        assert!(error.is_disconnected(), "{error}");
    });
}

#[test]
fn dropping_a_spawn_at_any_moment_leaves_nothing() {
    let mut random = Random::from_env("dropping_a_spawn_at_any_moment_leaves_nothing");
    alone(async {
        for round in 0..150 {
            let limit = random.up_to(Duration::from_millis(12));
            let file = tempfile::NamedTempFile::new().unwrap();
            // The worker's stdout, which all of its processes would hold open, is a file of the round.
            let spawning = Target::spawn::<AimClient>(()).stdout(Redirect::Append(file.path().to_owned()));
            match round % 3 {
                0 => drop(timeout(limit, spawning.into_future()).await),
                1 => drop(timeout(limit, spawning.connect().into_future()).await),
                // Whoever gets a detached worker has to end it.
                _ => {
                    if let Ok(worker) = timeout(limit, spawning.detach().into_future()).await {
                        worker.unwrap().shutdown().await.unwrap();
                    }
                }
            }
        }
    });
}

#[test]
fn a_detached_worker_outlives_its_master_and_ends_on_request() {
    alone(async {
        let (master, client) = target().await;
        let worker = client.detach().await.unwrap();
        let process = process(&worker);
        master.kill().await;
        let echo = worker.connect().await.unwrap();
        assert_eq!(echo.echo("still here").await.unwrap(), "still here");
        // The end of the connection does not end it either.
        drop(echo);
        assert_eq!(
            worker.with_client(async |echo: EchoClient| echo.pid().await).await.unwrap().unwrap(),
            worker.pid()
        );
        worker.shutdown().await.unwrap();
        assert!(ends(process));
        assert!(!is_listening(worker.address()));
        assert!(worker.connect().await.is_err());
    });
}

#[test]
fn a_worker_that_is_bound_to_its_client_ends_with_the_connection() {
    alone(async {
        // Dropped.
        let client = Target::spawn::<AimClient>(()).connect().await.unwrap();
        let other = client.clone();
        let process = Process::me().children()[0];
        drop(client);
        assert_eq!(other.count(1).await.unwrap(), 2);
        let mut stream = other.numbers(false).await.unwrap();
        drop(other);
        // A stream that is read holds the connection.
        assert_eq!(stream.next().await.unwrap().unwrap(), 0);
        assert!(!process.is_gone());
        drop(stream);
        assert!(ends(process));
        // Closed.
        let client = Target::spawn::<AimClient>(()).connect().await.unwrap();
        let process = Process::me().children()[0];
        rpc_parallel::Client::close(&client);
        assert!(ends(process));
        // Killed.
        let client = Target::spawn::<AimClient>(()).connect().await.unwrap();
        let error = within("crash", client.crash(Crash::Exit(7)).into_future()).await.unwrap_err();
        assert!(
            matches!(&error, rpc_parallel::CallError::WorkerDied(report) if report.exit == Exit::Code(7)),
            "{error}"
        );
    });
}

#[test]
fn a_worker_that_does_not_listen_is_killed_after_the_grace() {
    alone(async {
        let file = tempfile::NamedTempFile::new().unwrap();
        let spawning = Target::spawn::<AimClient>(()).grace(Duration::from_millis(100));
        let worker = spawning.stdout(Redirect::Append(file.path().to_owned())).await.unwrap();
        let client = worker.connect().await.unwrap();
        client.ignore_term().await.unwrap();
        let pid = process(&worker);
        let blocked = client.block(LONG * 10).start();
        // The request to end must not overtake the call.
        let has_begun = || file.path().metadata().unwrap().len() > 0;
        assert!(tokio::task::block_in_place(|| wait_until(LONG, has_begun)));
        drop(worker);
        assert!(ends(pid));
        let error = within("the blocked call", blocked).await.unwrap_err();
        assert!(error.is_worker_died(), "{error}");

        let (worker, _client) = target().await;
        let pid = process(&worker);
        pid.signal(Signal::STOP).unwrap();
        drop(worker);
        assert!(ends(pid));
    });
}

#[test]
fn plain_grandchildren_die_with_their_worker() {
    alone(async {
        for way in 0..5 {
            let (worker, client) = target().await;
            let worker_process = process(&worker);
            let program = Process::of(client.start_program().await.unwrap()).unwrap();
            match way {
                0 => drop(worker),
                1 => drop(worker.shutdown().await),
                2 => drop(worker.kill().await),
                3 => worker_process.signal(Signal::KILL).unwrap(),
                _ => drop(client.crash(Crash::Exit(0)).await),
            }
            assert!(ends(worker_process), "way {way}");
            assert!(ends(program), "way {way}");
        }
    });
}

#[test]
fn a_kill_and_a_request_tell_how_the_worker_ended() {
    alone(async {
        let (worker, _client) = target().await;
        let report = within("kill", worker.kill()).await;
        assert!(matches!(report.exit, Exit::Signal { signal: 9, .. }), "{report}");
        let (worker, _client) = target().await;
        process(&worker).signal(Signal::TERM).unwrap();
        let report = within("exit", worker.exit()).await;
        assert!(matches!(report.exit, Exit::Signal { signal: 15, .. }), "{report}");
        drop(worker);
        let (worker, client) = target().await;
        drop(client);
        let report = within("shutdown", worker.shutdown()).await;
        assert!(report.exit.is_success(), "{report}");
    });
}
