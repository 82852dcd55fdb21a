//! What goes wrong only when two things happen at once, or when somebody does not behave.

use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{CallError, Client, Spawn};

use crate::support::{stateless, within};

stateless!(Odd);

#[rpc_parallel::worker]
pub(crate) trait Oddities {
    async fn pid(&self) -> u32;
    /// Replies and ends the process.
    async fn last(&self) -> u32;
    async fn endless(&self) -> impl Stream<Item = u8>;
    async fn take(&self, items: impl Stream<Item = u8>) -> usize;
}

#[rpc_parallel::worker]
impl Oddities for Odd {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn last(&self) -> u32 {
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            std::process::exit(0);
        });
        7
    }
    async fn endless(&self) -> impl Stream<Item = u8> {
        stream::pending()
    }
    async fn take(&self, items: impl Stream<Item = u8>) -> usize {
        items.count().await
    }
}

/// A call that cannot be sent drops its uploads, of which one may be a download of the same connection.
#[tokio::test]
async fn a_call_that_fails_drops_a_stream_of_the_same_connection() {
    let client = Odd::serve(()).await.unwrap().connect().await.unwrap();
    let download = client.endless().await.unwrap();
    client.close();
    within(client.closed()).await;
    let call = client.take(download.map(Result::unwrap_or_default));
    assert!(matches!(within(call).await, Err(CallError::Disconnected(_))));

    let client = Odd::serve(()).await.unwrap().connect().await.unwrap();
    let download = client.endless().await.unwrap();
    drop(client.close_gracefully(Duration::from_secs(600)));
    let call = client.take(download.map(Result::unwrap_or_default));
    assert!(matches!(within(call).await, Err(CallError::Cancelled(_))));
}

/// What a worker has sent before its end is read, also by a runtime that was busy and learns of the end first.
#[tokio::test]
async fn a_reply_before_the_end_of_a_worker_is_not_lost() {
    let worker = Odd::spawn(()).await.unwrap();
    let client = worker.connect().await.unwrap();
    let call = client.last().start();
    // Its reply and its end come while this runtime sees nothing.
    while worker.try_exit().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(within(call).await.unwrap(), 7);
}
