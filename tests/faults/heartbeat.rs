//! Heartbeats: silence of a process that computes is none, silence of one that is stopped is.

use std::{thread, time::Duration};

use rpc_parallel::{CallError, CloseKind, HeartbeatSettings, Settings, Spawn, Spawned};
use rpc_parallel_tests::{Process, alone, within};
use rustix::process::Signal;

use crate::target::{AimClient, Target};

const LIMIT: Duration = Duration::from_millis(200);

async fn target() -> (Spawned<AimClient>, AimClient) {
    let mut settings = Settings::default();
    settings.heartbeat = Some(HeartbeatSettings { send_every: Duration::from_millis(50), timeout: LIMIT });
    let worker = Target::spawn::<AimClient>(()).settings(settings).await.unwrap();
    let client = worker.connect().await.unwrap();
    (worker, client)
}

#[test]
fn a_handler_that_blocks_does_not_cost_the_connection() {
    alone(async {
        let (worker, client) = target().await;
        let waiting = client.wait().start();
        // On the only thread of the worker's runtime.
        within("block", client.block(5 * LIMIT).into_future()).await.unwrap();
        assert_eq!(client.count(1).await.unwrap(), 2);
        assert!(!rpc_parallel::Client::is_closed(&client));
        drop(waiting);
        drop(worker.shutdown().await);
    });
}

#[test]
fn a_client_that_blocks_does_not_cost_the_connection() {
    // A runtime with one thread, which it takes from heartbeats and everything else.
    alone(async {
        tokio::task::spawn_blocking(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (worker, client) = target().await;
                thread::sleep(5 * LIMIT);
                assert_eq!(client.count(1).await.unwrap(), 2);
                drop(worker.shutdown().await);
            });
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_stopped_worker_costs_the_connection() {
    alone(async {
        let (worker, client) = target().await;
        let waiting = client.wait().start();
        let process = Process::of(worker.pid()).unwrap();
        process.signal(Signal::STOP).unwrap();
        let error = within("the lapse of heartbeats", waiting).await.unwrap_err();
        let CallError::Disconnected(lost) = &error else { panic!("{error:?}") };
        assert_eq!(lost.reason().kind(), CloseKind::HeartbeatLapse);
        assert!(error.to_string().contains("heartbeats"), "{error}");
        // Only the connection is gone: the process can go on, and be connected to.
        process.signal(Signal::CONT).unwrap();
        let client = within("connect", worker.connect().into_future()).await.unwrap();
        assert_eq!(client.count(1).await.unwrap(), 2);
        drop(worker.shutdown().await);
    });
}
