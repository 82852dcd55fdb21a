//! Callers beyond the limit of open calls: all get their turn, and a turn that is not used goes to another.

use std::{
    future::{Future, IntoFuture},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Wake, Waker},
};

use futures_util::future::join_all;
use rpc_parallel::{Settings, Spawn};
use rpc_parallel_tests::{LONG, alone, wait_until, within};

use crate::target::{AimClient, Target};

async fn one_at_a_time() -> AimClient {
    let mut settings = Settings::default();
    settings.max_open_calls = 1;
    Target::spawn(()).settings(settings).connect().await.unwrap()
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_turn_that_is_not_used_goes_to_the_next() {
    alone(async {
        let client = one_at_a_time().await;
        let [first, second, third] = &<[Arc<Woken>; 3]>::default();
        let wakers = [first, second, third].map(|woken| Waker::from(Arc::clone(woken)));
        let [first_cx, second_cx, third_cx] = &mut wakers.each_ref().map(Context::from_waker);
        let mut open = Box::pin(client.wait().into_future());
        assert!(open.as_mut().poll(first_cx).is_pending());
        let mut next = Box::pin(client.count(1).into_future());
        assert!(next.as_mut().poll(second_cx).is_pending());
        let mut last = pin!(client.count(2).into_future());
        assert!(last.as_mut().poll(third_cx).is_pending());
        drop(open);
        let woken = |who: &Arc<Woken>| tokio::task::block_in_place(|| wait_until(LONG, || who.0.load(Relaxed) > 0));
        assert!(woken(second));
        // It has the turn, and is given up instead.
        drop(next);
        assert!(woken(third));
        assert_eq!(within("the last call", last).await.unwrap(), 3);
    });
}

#[test]
fn everybody_gets_their_turn() {
    alone(async {
        let client = one_at_a_time().await;
        let calls = join_all((0..500).map(async |n| {
            client.note("one-way messages have a limit of their own".to_owned()).await.unwrap();
            assert_eq!(client.count(n).await.unwrap(), n + 1);
        }));
        within("all calls", calls).await;
    });
}
