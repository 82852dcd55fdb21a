//! Many workers, at once and one after another.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use rpc_parallel::Spawn;
use rpc_parallel_tests::{Census, Probe, alone};

#[test]
fn thirty_two_spawns_at_once() {
    alone(async {
        let workers = join_all((0..32).map(|n| Probe::spawn(()).name(format!("w{n}")).into_future())).await;
        let workers: Vec<_> = workers.into_iter().map(Result::unwrap).collect();
        // All of them live and answer at once.
        let pids: BTreeSet<u32> =
            join_all(workers.iter().map(async |worker| worker.connect().await.unwrap().pid().await.unwrap()))
                .await
                .into_iter()
                .collect();
        assert_eq!(pids.len(), workers.len());
        assert_eq!(pids, workers.iter().map(|worker| worker.pid()).collect());
        for report in join_all(workers.into_iter().map(rpc_parallel::Spawned::shutdown)).await {
            assert!(report.exit.is_success(), "{report}");
        }
    });
}

#[test]
fn two_hundred_spawns_one_after_another() {
    alone(async {
        let census = Census::take();
        for n in 0..200 {
            let worker = Probe::spawn(()).await.unwrap();
            let client = worker.connect().await.unwrap();
            assert_eq!(client.echo("x").await.unwrap(), "x");
            match n % 3 {
                0 => drop(worker),
                1 => drop(worker.shutdown().await),
                _ => drop(worker.kill().await),
            }
            drop(client);
            // Nothing grows on the way either.
            if n % 20 == 0 {
                tokio::task::block_in_place(|| census.assert_unchanged());
            }
        }
    });
}
