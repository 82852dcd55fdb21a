//! A connection that goes on through shared memory: it does so by itself, dies like any other, and believes nothing that is
//! written there.

use std::{
    fs,
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use futures_util::{StreamExt, future::join_all, stream};
use rpc_parallel::{CallError, Client, Settings, Spawn, Spawned};
use rpc_parallel_tests::{LONG, Process, alone, wait_until, within};
use rustix::process::Signal;

use crate::target::{AimClient, Target};

/// The memory of the lanes that a process has, by where it is mapped.
fn lanes(pid: u32) -> Vec<(u64, u64)> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let ours = maps.lines().filter(|line| line.contains("memfd:rpc-parallel"));
    ours.map(|line| {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap())
    })
    .collect()
}

async fn worker(shared_memory: bool) -> (Spawned<AimClient>, AimClient) {
    let mut settings = Settings::default();
    settings.shared_memory = shared_memory;
    let worker = Target::spawn::<AimClient>(()).settings(settings).await.unwrap();
    let client = worker.connect().await.unwrap();
    (worker, client)
}

/// Calls until the connection has been worth a lane, and a few times more.
async fn call_some(client: &AimClient) {
    for n in 0..1000 {
        assert_eq!(within("a call", client.count(n)).await.unwrap(), n + 1);
    }
}

#[test]
fn a_connection_that_is_used_gets_a_lane_and_leaves_nothing() {
    alone(async {
        let (worker, client) = worker(true).await;
        assert_eq!(client.count(1).await.unwrap(), 2);
        assert!(lanes(worker.pid()).is_empty(), "one call is not worth it");
        call_some(&client).await;
        assert_eq!((lanes(worker.pid()).len(), lanes(std::process::id()).len()), (1, 1));
        drop(client);
        let gone = || lanes(worker.pid()).is_empty() && lanes(std::process::id()).is_empty();
        assert!(tokio::task::block_in_place(|| wait_until(LONG, gone)));
        // The worker goes on, and its next connection gets another one.
        let client = worker.connect().await.unwrap();
        call_some(&client).await;
        assert_eq!(lanes(worker.pid()).len(), 1);
    });
}

#[test]
fn it_can_be_switched_off() {
    alone(async {
        let (worker, client) = worker(false).await;
        call_some(&client).await;
        assert!(lanes(worker.pid()).is_empty() && lanes(std::process::id()).is_empty());
    });
}

#[test]
fn everything_travels_through_it_at_once() {
    alone(async {
        let (_worker, client) = worker(true).await;
        call_some(&client).await;
        let calls = join_all((0..20).map(async |task| {
            for n in 0..500 {
                assert_eq!(client.count(task * n).await.unwrap(), task * n + 1);
            }
        }));
        let up = async { assert_eq!(client.sum(stream::iter(0..300_000)).await.unwrap(), 300_000 * 299_999 / 2) };
        let through = async {
            let doubled = client.doubled(stream::iter(0..300_000_u64)).await.unwrap();
            let sum = doubled.fold(0, async |sum, item| sum + item.unwrap()).await;
            assert_eq!(sum, 300_000 * 299_999);
        };
        let down = async {
            let numbers = client.numbers(true).await.unwrap();
            let taken: Vec<_> = numbers.take(300_000).map(Result::unwrap).collect().await;
            assert!(taken.into_iter().eq(0..300_000));
        };
        // Longer than the memory, in both directions at the same time.
        let text = "x".repeat(3 << 20);
        let large = join_all((0..4).map(|_| client.say_back(&text)));
        let work = async { tokio::join!(calls, up, through, down, large) };
        let (.., large) = within("all of it", work).await;
        assert!(large.into_iter().all(|back| back.unwrap() == text));
    });
}

#[test]
fn a_stopped_peer_does_not_block_and_a_dead_one_is_told_of() {
    alone(async {
        let (worker, client) = worker(true).await;
        call_some(&client).await;
        let process = Process::of(worker.pid()).unwrap();
        process.signal(Signal::STOP).unwrap();
        // More than the memory has room for; the runtime goes on meanwhile.
        let full = async || {
            while client.traffic().queued < 100_000 {
                tokio::task::yield_now().await;
            }
        };
        let calls = join_all((0..40_000).map(|n| client.count(n)));
        let calls = tokio::spawn(calls);
        let large = tokio::spawn(client.say_back(&"y".repeat(1 << 20)));
        within("no room", full()).await;
        process.signal(Signal::CONT).unwrap();
        for (n, reply) in within("the calls", calls).await.unwrap().into_iter().enumerate() {
            assert_eq!(reply.unwrap(), n as u64 + 1);
        }
        assert_eq!(within("the large call", large).await.unwrap().unwrap().len(), 1 << 20);

        process.signal(Signal::STOP).unwrap();
        let waiting = join_all((0..40_000).map(|n| client.count(n)));
        let waiting = tokio::spawn(waiting);
        within("no room again", full()).await;
        process.signal(Signal::KILL).unwrap();
        for error in within("the end", waiting).await.unwrap() {
            match error.unwrap_err() {
                CallError::WorkerDied(report) => assert!(report.to_string().contains("SIGKILL"), "{report}"),
                other => panic!("{other}"),
            }
        }
    });
}

#[test]
fn numbers_that_cannot_be_end_the_connection_and_nothing_else() {
    // Where in the memory there are numbers: how much was written and read, of either direction.
    for place in [0, 128, 512, 640] {
        alone(async move {
            let (worker, client) = worker(true).await;
            call_some(&client).await;
            let [(start, _)] = lanes(worker.pid())[..] else { panic!("one lane") };
            // The worker's memory is ours: it is the same. Each side writes its own numbers again and again, so this does, too.
            let memory = fs::OpenOptions::new().write(true).open(format!("/proc/{}/mem", worker.pid())).unwrap();
            let over = Arc::new(AtomicBool::new(false));
            let damage = {
                let over = Arc::clone(&over);
                std::thread::spawn(move || {
                    while !over.load(Relaxed)
                        && memory.write_all_at(&(u64::MAX / 3).to_ne_bytes(), start + place).is_ok()
                    {
                        std::thread::yield_now();
                    }
                })
            };
            // Calls are answered rightly, or not at all. Who writes looks at what was read only once there seems to be no room.
            let error = within("the end", async {
                loop {
                    for (n, reply) in join_all((0..20_000).map(|n| client.count(n))).await.into_iter().enumerate() {
                        match reply {
                            Ok(reply) => assert_eq!(reply, n as u64 + 1),
                            Err(error) => return error.to_string(),
                        }
                    }
                }
            })
            .await;
            over.store(true, Relaxed);
            damage.join().unwrap();
            assert!(error.contains("shared memory") || error.contains("closed"), "place {place}: {error}");
            assert!(client.is_closed());
            // The worker serves others.
            let again = worker.connect().await.unwrap();
            assert_eq!(again.count(1).await.unwrap(), 2);
        });
    }
}
