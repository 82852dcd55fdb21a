//! Looking for what comes next before sleeping: nothing is missed by it, it can be turned off, and who is idle does not look.

use std::{collections::VecDeque, fs, time::Duration};

use rpc_parallel::{Call, Client, Settings, Spawn};
use rpc_parallel_tests::{LONG, alone, wait_until, within};

use crate::target::{AimClient, Target};

async fn spinning_for(limit: Duration) -> AimClient {
    let mut settings = Settings::default();
    settings.spin = limit;
    Target::spawn(()).settings(settings).connect().await.unwrap()
}

/// Keeps so many calls in flight.
async fn keep_going(client: &AimClient, width: usize, calls: u64) {
    let mut open: VecDeque<(u64, Call<u64>)> = VecDeque::new();
    for n in 0..calls {
        if open.len() == width {
            let (n, call) = open.pop_front().unwrap();
            assert_eq!(within("a call", call).await.unwrap(), n + 1);
        }
        open.push_back((n, client.count(n).start()));
        if n % 1009 == 0 {
            // The runtime looks at its poller.
            tokio::task::yield_now().await;
        }
    }
    for (n, call) in open {
        assert_eq!(within("a last call", call).await.unwrap(), n + 1);
    }
}

#[test]
fn no_reply_is_missed_by_who_looks_for_it() {
    for limit in [Duration::ZERO, Duration::from_micros(50), Duration::from_millis(1)] {
        alone(async move {
            let client = spinning_for(limit).await;
            for (width, calls) in [(1, 3000), (2, 3000), (16, 10_000), (256, 30_000)] {
                keep_going(&client, width, calls).await;
            }
        });
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
            let client = spinning_for(limit).await;
            for (width, calls) in [(1, 3000), (2, 3000), (16, 10_000), (256, 30_000)] {
                keep_going(&client, width, calls).await;
            }
        });
    }
}

/// Nanoseconds that all threads of a process have spent on a CPU.
fn cpu_time(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let times = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    times.map(|time| time.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

#[test]
fn an_idle_connection_uses_no_cpu() {
    alone(async {
        let worker = Target::spawn(()).await.unwrap();
        let client: AimClient = worker.connect().await.unwrap();
        keep_going(&client, 1, 1000).await;
        let pid = worker.pid();
        // What the calls have left to do may take a moment; after it there is nothing at all.
        let rests = || {
            let before = cpu_time(pid);
            std::thread::sleep(Duration::from_millis(300));
            cpu_time(pid) == before
        };
        assert!(tokio::task::block_in_place(|| wait_until(LONG, rests)));
        assert!(!client.is_closed());
    });
}
