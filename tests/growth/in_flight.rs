//! Many calls on one connection.

use futures_util::future::join_all;
use rpc_parallel::{Settings, Spawn};
use tokio::task::JoinSet;

use crate::{
    Growth, cost,
    worker::{GrowClient, Growing},
};

pub(crate) async fn measure(largest: usize) -> Growth {
    let mut growth = Growth::new("in-flight", "Calls in flight on one connection", "calls in flight");
    for n in Growth::sizes(largest) {
        let client: GrowClient = Growing::spawn(()).connect().await.unwrap();
        // So often that what a task costs by itself does not count.
        let each = (100_000 / n).clamp(20, 20_000);
        // Tables reach their size.
        at_once(&client, n, 1).await;
        growth.add("a call", n, cost::per_unit(&[&client], n * each, at_once(&client, n, each)).await);

        let mut waiting = JoinSet::new();
        for _ in 0..n {
            let client = client.clone();
            waiting.spawn(async move { client.wait().await });
        }
        // Until all of them are there.
        at_once(&client, 1, 500).await;
        let beside = cost::per_unit(&[&client], BESIDE, at_once(&client, 1, BESIDE)).await;
        growth.add("a call beside so many that wait", n, beside);
        // A few are too cheap to be measured.
        if n >= 100 {
            let cancelling = async {
                waiting.shutdown().await;
                client.next(1).await.unwrap();
            };
            growth.add("cancelling a call that waits", n, cost::per_unit(&[&client], n, cancelling).await);
        }

        let mut settings = Settings::default();
        settings.max_open_calls = AT_A_TIME;
        let client: GrowClient = Growing::spawn(()).settings(settings).connect().await.unwrap();
        at_once(&client, n.min(AT_A_TIME), 2).await;
        let queued = cost::per_unit(&[&client], n * each, at_once(&client, n, each)).await;
        growth.add("a call where 100 at a time are allowed", n, queued);
    }
    growth
}

/// `n` tasks that each make `each` calls, one after the other.
async fn at_once(client: &GrowClient, n: usize, each: usize) {
    let tasks = (0..n).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for n in 0..each {
                client.next(n as u64).await.unwrap();
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
}

/// Calls that are made beside others.
const BESIDE: usize = 5000;

/// The limit where there is a low one.
const AT_A_TIME: usize = 100;
