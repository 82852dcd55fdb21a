//! Calls that arrive together: each handler is entered as its call's own, whatever those before it were.

use std::{convert::Infallible, time::Duration};

use futures_util::future::join_all;
use rpc_parallel::{CallContext, CallError, Init, Spawn, WorkerContext, worker};
use rpc_parallel_tests::{alone, within};
use serde::{Deserialize, Serialize, Serializer};

/// Looks at its call when it is dropped, which is after the reply.
#[derive(Deserialize)]
struct Curious(u32);

impl Serialize for Curious {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Some do while they are written, too.
        if self.0.is_multiple_of(5) {
            let _ = CallContext::current().map(|call| call.aborted());
        }
        serializer.serialize_newtype_struct("Curious", &self.0)
    }
}

impl Drop for Curious {
    fn drop(&mut self) {
        let _ = CallContext::current().map(|call| (call.aborted(), call.deadline()));
    }
}

#[worker]
trait Batch {
    /// Whether the handler's call is wanted.
    async fn wanted(&self, n: u32) -> (u32, bool);
    async fn curious(&self, n: u32) -> Curious;
    /// Waits if the number is odd, and asks for its call before or after, or both.
    async fn sometimes(&self, n: u32) -> (u32, bool);
    /// Panics if the number is divisible by a hundred.
    async fn hundreds(&self, n: u32) -> u32;
    async fn length(&self, text: &str) -> usize;
}

struct Batcher;

impl Init for Batcher {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

fn wanted() -> bool {
    CallContext::current().is_some_and(|call| call.aborted().is_none() && call.deadline().is_none())
}

#[worker]
impl Batch for Batcher {
    async fn wanted(&self, n: u32) -> (u32, bool) {
        (n, wanted())
    }

    async fn curious(&self, n: u32) -> Curious {
        Curious(n)
    }

    async fn sometimes(&self, n: u32) -> (u32, bool) {
        let before = n % 4 < 2 || wanted();
        if n % 2 == 1 {
            tokio::task::yield_now().await;
        }
        (n, before && wanted())
    }

    async fn hundreds(&self, n: u32) -> u32 {
        assert!(!n.is_multiple_of(100), "a hundred");
        n
    }

    async fn length(&self, text: &str) -> usize {
        text.len()
    }
}

/// More than are served in one turn.
const CALLS: u32 = 5000;

#[test]
fn each_call_of_a_batch_is_its_handlers_own() {
    alone(async {
        let (worker, client) = {
            let worker = Batcher::spawn::<BatchClient>(()).await.unwrap();
            let client: BatchClient = worker.connect().await.unwrap();
            (worker, client)
        };
        for round in 0..3 {
            let calls = join_all((0..CALLS).map(|n| client.wanted(n).start()));
            for (n, reply) in (0..).zip(within("the calls", calls).await) {
                assert_eq!(reply.unwrap(), (n, true), "round {round}");
            }
            let calls = join_all((0..CALLS).map(|n| client.curious(n).start()));
            for (n, reply) in (0..).zip(within("the curious", calls).await) {
                assert_eq!(reply.unwrap().0, n, "round {round}");
            }
            let calls = join_all((0..CALLS).map(|n| client.sometimes(n).start()));
            for (n, reply) in (0..).zip(within("those that wait", calls).await) {
                assert_eq!(reply.unwrap(), (n, true), "round {round}");
            }
            let calls = join_all((0..300).map(|n| client.hundreds(n).start()));
            for (n, reply) in (0..).zip(within("those that panic", calls).await) {
                match reply {
                    Ok(reply) => assert_eq!((reply, n % 100 > 0), (n, true), "round {round}"),
                    Err(CallError::Panicked(report)) => {
                        assert_eq!((report.message.as_str(), n % 100), ("a hundred", 0), "round {round}");
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
        // None of them counts as open, or the close would wait for it.
        let report = within("the end", worker.shutdown()).await;
        assert_eq!(report.exit, rpc_parallel::Exit::Code(0), "{report}");
    });
}

#[test]
fn calls_that_are_given_up_in_the_middle_of_a_batch_harm_no_others() {
    alone(async {
        let client: BatchClient = Batcher::spawn(()).connect().await.unwrap();
        for round in 0..20 {
            let mut calls: Vec<_> = (0..500).map(|n| (n, client.sometimes(n).start())).collect();
            calls.retain(|(n, _)| n % 7 != round % 7);
            for (n, call) in calls {
                assert_eq!(within("a call", call).await.unwrap(), (n, true), "round {round}");
            }
        }
    });
}

/// Timers of calls that are over fire while there is something left of a batch.
#[test]
fn nothing_of_a_mixed_batch_is_lost_whatever_fires_meanwhile() {
    alone(async {
        let worker = Batcher::spawn::<BatchClient>(()).await.unwrap();
        let client: BatchClient = worker.connect().await.unwrap();
        let text = "x".repeat(100);
        for round in 0..400_u64 {
            let timed: Vec<_> = (1..9)
                .map(|n| client.wanted(0).deadline(Duration::from_micros(200 * n + 50 * (round % 20))).start())
                .collect();
            let calls: Vec<_> = (0..200).map(|n| (client.sometimes(n).start(), n)).collect();
            let mixed: Vec<_> =
                (0..100).map(|n| (client.length(&text[..n]).start(), client.wanted(n as u32).start(), n)).collect();
            for (call, n) in calls {
                assert_eq!(within("one that may wait", call).await.unwrap(), (n, true), "round {round}");
            }
            for (long, short, n) in mixed {
                assert_eq!(within("a long one", long).await.unwrap(), n, "round {round}");
                assert_eq!(within("a short one", short).await.unwrap(), (n as u32, true), "round {round}");
            }
            for call in timed {
                // In time or not, it ends.
                let _ = within("one with a deadline", call).await;
            }
        }
        let report = within("the end", worker.shutdown()).await;
        assert_eq!(report.exit, rpc_parallel::Exit::Code(0), "{report}");
    });
}
