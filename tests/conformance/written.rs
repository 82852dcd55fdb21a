//! What is handed to a connection reaches the other side, also when the connection is closed right after.

use std::{convert::Infallible, sync::Mutex};

use futures_util::future::join_all;
use rpc_parallel::{Client, Init, Spawn, WorkerContext};

use crate::support::within;

#[rpc_parallel::worker]
trait LetterBox {
    #[rpc(one_way)]
    fn post(&self, letter: Vec<u8>);
    async fn letters(&self) -> usize;
}

struct Letters(Mutex<usize>);

impl Init for Letters {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self(Mutex::new(0)))
    }
}

#[rpc_parallel::worker]
impl LetterBox for Letters {
    fn post(&self, letter: Vec<u8>) {
        assert_eq!(letter.len(), LARGE);
        *self.0.lock().unwrap() += 1;
    }

    async fn letters(&self) -> usize {
        *self.0.lock().unwrap()
    }
}

/// Far more than a socket takes at once.
const LARGE: usize = 2 << 20;

#[tokio::test]
async fn one_way_messages_survive_the_end_of_their_connection() {
    let worker = Letters::spawn(()).await.unwrap();
    let reader = worker.connect().await.unwrap();
    for round in 1..=3 {
        let writer = worker.worker().connect().await.unwrap();
        let posts: Vec<_> = (0..8).map(|_| writer.post(vec![7; LARGE]).start()).collect();
        if round % 2 == 0 {
            // Nobody waits until they are written: closing does.
            drop(posts);
            writer.close();
        } else {
            within(join_all(posts)).await.into_iter().for_each(|sent| sent.unwrap());
        }
        drop(writer);
        within(async {
            while reader.letters().await.unwrap() < round * 8 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    assert_eq!(reader.letters().await.unwrap(), 24);
}
