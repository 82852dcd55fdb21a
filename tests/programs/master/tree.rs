//! A tree with everything in it that could be left behind.

use std::future::pending;

use futures_util::{FutureExt, future::join_all};
use rpc_parallel::{Spawn, Spawned};
use tokio::sync::watch;

use crate::{
    limb::{Branch, LimbClient, Start},
    say,
};

/// Says `begun` first, and then nine lines in any order; `faults/tree.rs` knows how many.
pub(crate) async fn grow() {
    say("begun");
    // The parts that take all of a processor come last: the others would be long in coming.
    let (quiet, _) = watch::channel(false);
    let part = async |n: u32| {
        let branch: Spawned<LimbClient> = Branch::spawn(Start::Ready).name(format!("part-{n}")).await.unwrap();
        let client = branch.connect().await.unwrap();
        if matches!(n, 2 | 5) {
            let _ = quiet.subscribe().wait_for(|quiet| *quiet).await;
        }
        let result = match n {
            // It and the two that it starts say that they are there.
            0 => {
                let result = client.grow(1).await;
                quiet.send_replace(true);
                result
            }
            1 => client.start_program().await.map(drop),
            2 => client.compute().await,
            3 => client.block().await,
            4 => client.stop().await,
            5 => client.spawn_on().await,
            _ => client.spawn_stuck().await,
        };
        drop(result);
        // The owner stays: without it the worker would end.
        (branch, client)
    };
    let parts = join_all((0..7).map(|n| part(n).boxed_local())).await;
    pending::<()>().await;
    drop(parts);
}
