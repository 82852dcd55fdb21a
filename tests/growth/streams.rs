//! Many streams on one connection.

use std::pin::pin;

use futures_util::{StreamExt, future::join_all, poll, stream};
use rpc_parallel::Spawn;

use crate::{
    Growth,
    connections::{BESIDE, calls},
    cost,
    worker::{GrowClient, Growing},
};

pub(crate) async fn measure(largest: usize) -> Growth {
    let mut growth = Growth::new("streams", "Streams on one connection", "open streams");
    for n in Growth::sizes(largest) {
        let client: GrowClient = Growing::spawn(()).connect().await.unwrap();
        let rounds = (10_000 / n).max(2);
        downloads(&client, n).await;
        uploads(&client, n).await;
        let down = async {
            for _ in 0..rounds {
                downloads(&client, n).await;
            }
        };
        growth.add("a download of 10 items, all at once", n, cost::per_unit(&[&client], n * rounds, down).await);
        let up = async {
            for _ in 0..rounds {
                uploads(&client, n).await;
            }
        };
        growth.add("an upload of 10 items, all at once", n, cost::per_unit(&[&client], n * rounds, up).await);

        let open = join_all((0..n).map(async |_| {
            let mut stream = client.endless().await.unwrap();
            stream.next().await.unwrap().unwrap();
            stream
        }))
        .await;
        growth.add("a call beside so many", n, cost::per_unit(&[&client], BESIDE, calls(&client)).await);
        let one_by_one = async {
            for _ in 0..FURTHER {
                downloads(&client, 1).await;
                uploads(&client, 1).await;
            }
        };
        growth.add("a stream beside so many", n, cost::per_unit(&[&client], 2 * FURTHER, one_by_one).await);
        let giving_up = async {
            for _ in 0..FURTHER {
                let mut call = pin!(client.wait().into_future());
                assert!(poll!(&mut call).is_pending());
            }
        };
        growth.add("a call that is given up beside so many", n, cost::per_unit(&[&client], FURTHER, giving_up).await);
        // A few are too cheap to be measured.
        if n >= 100 {
            let stopping = async {
                drop(open);
                client.next(1).await.unwrap();
            };
            growth.add("giving a stream up, all at once", n, cost::per_unit(&[&client], n, stopping).await);
        }
    }
    growth
}

async fn downloads(client: &GrowClient, n: usize) {
    join_all((0..n).map(async |_| {
        let numbers = client.numbers(10).await.unwrap();
        assert_eq!(numbers.map(Result::unwrap).count().await, 10);
    }))
    .await;
}

async fn uploads(client: &GrowClient, n: usize) {
    join_all((0..n).map(async |_| assert_eq!(client.sum(stream::iter(0..10)).await.unwrap(), 45))).await;
}

/// Streams that are opened beside others.
const FURTHER: usize = 1000;
