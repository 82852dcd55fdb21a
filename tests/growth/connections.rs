//! Many connections to one worker.

use futures_util::future::join_all;
use rpc_parallel::Spawn;

use crate::{
    Growth, cost,
    worker::{GrowClient, Growing},
};

pub(crate) async fn measure(largest: usize) -> Growth {
    let mut growth = Growth::new("connections", "Connections to one worker", "connections");
    for n in Growth::sizes(largest) {
        let worker = Growing::spawn(()).await.unwrap();
        let first = worker.connect().await.unwrap();
        let mut clients = Vec::new();
        let rounds = (200 / n).max(1);
        let connecting = async {
            for _ in 0..rounds {
                clients = join_all((0..n).map(async |_| worker.connect().await.unwrap())).await;
            }
        };
        growth.add("connecting, all at once", n, cost::per_unit(&[&first], n * rounds, connecting).await);

        let rounds = (20_000 / n).max(20);
        let calling = async {
            for round in 0..rounds {
                join_all(clients.iter().map(async |client| client.next(round as u64).await.unwrap())).await;
            }
        };
        growth.add("a call, one on each at once", n, cost::per_unit(&[&first], n * rounds, calling).await);
        growth.add("a call on one, the others idle", n, cost::per_unit(&[&first], BESIDE, calls(&clients[0])).await);
    }
    growth
}

/// One after the other.
pub(crate) async fn calls(client: &GrowClient) {
    for n in 0..BESIDE {
        client.next(n as u64).await.unwrap();
    }
}

pub(crate) const BESIDE: usize = 5000;
