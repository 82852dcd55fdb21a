//! Many workers of one master.

use futures_util::future::join_all;
use rpc_parallel::Spawn;

use crate::{
    Growth,
    connections::{BESIDE, calls},
    cost, limit,
    worker::{GrowClient, Growing},
};

pub(crate) async fn measure(largest: usize) -> Growth {
    let mut growth = Growth::new("workers", "Workers", "workers");
    for n in Growth::sizes(largest) {
        // Where there are few, often: a spawn is no more than a millisecond.
        let rounds = (20 / n).max(1);
        let (mut ours, mut theirs, mut ending) = (0.0, 0.0, 0.0);
        let mut workers = Vec::new();
        for round in 0..rounds {
            let before = cost::cpu();
            workers = join_all((0..n).map(async |_| Growing::spawn(()).await.unwrap())).await;
            ours += cost::cpu() - before;
            let clients = join_all(workers.iter().map(async |worker| worker.connect().await.unwrap())).await;
            theirs +=
                join_all(clients.iter().map(async |client| client.cpu().await.unwrap())).await.iter().sum::<f64>();
            if round + 1 < rounds {
                drop(clients);
                ending += end(std::mem::take(&mut workers)).await;
            }
        }
        let spawned = (n * rounds) as f64;
        growth.add("a spawn, all at once: the master", n, ours * 1e6 / spawned);
        growth.add("a spawn, all at once: the worker", n, theirs * 1e6 / spawned);

        let clients: Vec<GrowClient> =
            join_all(workers.iter().map(async |worker| worker.connect().await.unwrap())).await;
        let references: Vec<&GrowClient> = clients.iter().collect();
        let rounds = (20_000 / n).max(20);
        let calling = async {
            for round in 0..rounds {
                join_all(clients.iter().map(async |client| client.next(round as u64).await.unwrap())).await;
            }
        };
        growth.add("a call, one to each at once", n, cost::per_unit(&references, n * rounds, calling).await);
        growth.add("the machine: 8 bytes to each cat and back", n, limit::round_trip(n, rounds));
        growth.add(
            "a call to one, the others idle",
            n,
            cost::per_unit(&references[..1], BESIDE, calls(&clients[0])).await,
        );
        drop(clients);
        ending += end(workers).await;
        growth.add("an orderly end, all at once: the master", n, ending * 1e6 / spawned);
    }
    growth
}

/// Seconds of the master's CPU time.
async fn end(workers: Vec<rpc_parallel::Spawned<GrowClient>>) -> f64 {
    let before = cost::cpu();
    for report in join_all(workers.into_iter().map(rpc_parallel::Spawned::shutdown)).await {
        assert!(report.exit.is_success(), "{report}");
    }
    cost::cpu() - before
}
