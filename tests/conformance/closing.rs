//! Closing a connection: at once, with a moment for what is under way, and with a reason.

use std::time::Duration;

use futures_util::{StreamExt, future::join_all};
use rpc_parallel::{CallError, Client, CloseKind, Closer, Exit, Spawn};

use crate::{
    calls::{GatedClient, Gates},
    examples::Summer,
    support::{kill, tells_exit, until, within},
};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

/// A worker, a client, and another client that opens gates.
async fn gates() -> (rpc_parallel::Spawned<GatedClient>, GatedClient, GatedClient) {
    let worker = Gates::spawn(()).await.unwrap();
    let (client, opener) = (worker.connect().await.unwrap(), worker.connect().await.unwrap());
    (worker, client, opener)
}

/// A peer that closes while a call is open fails it: with the peer's reason, or, if it went without a word, as lost.
#[tokio::test]
async fn c146_the_peer_closes_while_a_call_is_open() {
    let (worker, client, _) = gates().await;
    let call = client.wait("never".into()).start();
    let handle = worker.worker().clone();
    let (asked, ended) = within(async { futures_util::join!(handle.shutdown(), call) }).await;
    asked.unwrap();
    match ended {
        Err(CallError::Disconnected(lost)) => assert_eq!(lost.reason().closer(), Closer::Remote),
        other => panic!("{other:?}"),
    }
    assert_eq!(within(worker.exit()).await.exit, Exit::Code(0));

    let (worker, _, _) = gates().await;
    let client = worker.worker().clone().connect().await.unwrap();
    let call = client.wait("never".into()).start();
    kill(worker.pid());
    match within(call).await {
        Err(CallError::WorkerDied(report)) if tells_exit() => {
            assert_eq!(report.exit, Exit::Signal { signal: 9, core_dumped: false });
        }
        Err(CallError::Disconnected(lost)) if !tells_exit() => {
            assert!(lost.to_string().contains("the peer closed the connection without a reason"), "{lost}");
        }
        other => panic!("{other:?}"),
    }
}

/// A graceful close waits for the calls that are open, and only then completes.
#[tokio::test]
async fn c147_a_graceful_close_waits() {
    let (_worker, client, opener) = gates().await;
    let call = client.wait("gate".into()).start();
    let close = client.close_gracefully(LONG);
    let mut close = std::pin::pin!(close);
    assert!(futures_util::poll!(&mut close).is_pending());
    opener.pid().await.unwrap();
    assert!(futures_util::poll!(&mut close).is_pending());
    opener.open("gate".into()).await.unwrap();
    assert_eq!(within(call).await.unwrap(), "gate");
    assert_eq!(within(close).await.reason().closer(), Closer::Local);
}

/// While a connection closes gracefully it counts as closed, and new calls fail at once; open ones finish.
#[tokio::test]
async fn c148_no_new_calls_while_closing() {
    let (_worker, client, opener) = gates().await;
    assert!(!client.is_closed());
    let open = client.wait("gate".into()).start();
    // Closed whether or not anyone waits for it.
    drop(client.close_gracefully(LONG));
    assert!(client.is_closed());
    for _ in 0..3 {
        match within(client.pid()).await {
            Err(CallError::Cancelled(text)) => assert!(text.contains("closing"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(within(client.note_silently(1)).await, Err(CallError::Cancelled(_))));
    opener.open("gate".into()).await.unwrap();
    assert_eq!(within(open).await.unwrap(), "gate");
    within(client.closed()).await;
    assert!(matches!(within(client.pid()).await, Err(CallError::Disconnected(_))));
    assert_eq!(opener.notes().await.unwrap(), [0; 0]);
}

/// A graceful close that has waited long enough: what was done in time has succeeded, the rest fails.
#[tokio::test]
async fn c149_a_graceful_close_ends_in_time() {
    let (worker, client, opener) = gates().await;
    let in_time = ["a", "b"].map(|gate| client.wait(gate.into()).start());
    let never = ["c", "d"].map(|gate| client.wait(gate.into()).start());
    let close = client.close_gracefully(Duration::from_secs(3));
    for gate in ["b", "a"] {
        opener.open(gate.into()).await.unwrap();
    }
    for result in within(join_all(in_time)).await {
        result.unwrap();
    }
    for result in within(join_all(never)).await {
        match result {
            Err(CallError::Disconnected(lost)) => assert_eq!(lost.reason().closer(), Closer::Local),
            other => panic!("{other:?}"),
        }
    }
    within(close).await;
    assert!(worker.try_exit().is_none());
}

/// A stream that is open when a graceful close begins is read to its end.
#[tokio::test]
async fn c150_open_streams_are_flushed() {
    let worker = Summer::spawn(()).await.unwrap();
    let client = worker.connect().await.unwrap();
    let mut sums = client.sums(50).await.unwrap();
    assert_eq!(within(sums.next()).await.unwrap().unwrap(), 0);
    let close = client.close_gracefully(LONG);
    let rest = crate::support::all(sums).await;
    assert_eq!((rest.len(), rest.last()), (49, Some(&1225)));
    within(close).await;
}

/// Closing again changes nothing, and whoever waits for the end has the same answer, whichever side closed.
#[tokio::test]
async fn c151_closing_again_changes_nothing() {
    let (worker, client, opener) = gates().await;
    client.close_with("first");
    client.close_with("second");
    client.close();
    let ends =
        [within(client.closed()).await, within(client.closed()).await, within(client.close_gracefully(LONG)).await];
    for end in &ends {
        assert_eq!((end, end.reason().text()), (&ends[0], "first"));
    }
    worker.worker().shutdown().await.unwrap();
    let ends = [within(opener.closed()).await, within(opener.close_gracefully(LONG)).await];
    assert_eq!((ends[0].reason().closer(), &ends[0]), (Closer::Remote, &ends[1]));
    opener.close();
    assert_eq!(opener.close_reason().as_ref(), Some(&ends[0]));
}

/// The reason of whoever closes reaches the other side, and says on which side it was.
#[tokio::test]
async fn c152_the_reason_reaches_the_peer() {
    let (worker, client, opener) = gates().await;
    let call = client.wait("never".into()).start();
    client.close_with("text of our reason");
    let error = within(call).await.unwrap_err();
    assert!(error.to_string().contains("connection closed by local side: text of our reason"), "{error}");

    worker.worker().shutdown().await.unwrap();
    let lost = within(opener.closed()).await;
    assert_eq!(lost.reason().kind(), CloseKind::ShuttingDown);
    assert_eq!(lost.reason().to_string(), "connection closed by remote side: the worker is shutting down");
    until("the worker has ended", async || worker.try_exit().is_some()).await;
}
