//! Byte strings, which travel without a length at the end of a message and without a copy if they are large.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{CallError, Settings, Spawn};
use serde::{Deserialize, Serialize};

use crate::support::{stateless, within};

stateless!(Mirror);

type Alias = Vec<u8>;

mod other {
    /// Not the one of the crate `bytes`, although it is named so.
    #[derive(Clone, Debug, super::Deserialize, PartialEq, super::Serialize)]
    pub(crate) struct Bytes {
        pub(crate) text: String,
    }
}

#[rpc_parallel::worker]
pub(crate) trait Mirroring {
    async fn slice(&self, bytes: &[u8]) -> Vec<u8>;
    async fn vec(&self, bytes: Vec<u8>) -> Vec<u8>;
    async fn shared(&self, bytes: Bytes) -> Bytes;
    async fn alias(&self, bytes: Alias) -> Alias;
    async fn named(&self, bytes: other::Bytes) -> other::Bytes;
    async fn behind(&self, text: &str, bytes: Bytes) -> (String, Bytes);
    async fn before(&self, bytes: Bytes, more: Vec<u8>, number: u64) -> (Bytes, Vec<u8>, u64);
    async fn all(&self, first: &[u8], second: Vec<u8>, third: Bytes, last: &[u8]) -> Vec<Vec<u8>>;
    async fn result(&self, bytes: Bytes, fails: bool) -> Result<Bytes, Vec<u8>>;
    async fn both(&self, bytes: Vec<u8>, items: impl Stream<Item = Bytes>) -> (Vec<u8>, impl Stream<Item = Bytes>);
    fn blocking(&self, bytes: Vec<u8>) -> Bytes;
    #[rpc(inline)]
    fn inline(&self, bytes: Bytes) -> Vec<u8>;
}

#[rpc_parallel::worker]
impl Mirroring for Mirror {
    async fn slice(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
    async fn vec(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
    async fn shared(&self, bytes: Bytes) -> Bytes {
        bytes
    }
    async fn alias(&self, bytes: Alias) -> Alias {
        bytes
    }
    async fn named(&self, bytes: other::Bytes) -> other::Bytes {
        bytes
    }
    async fn behind(&self, text: &str, bytes: Bytes) -> (String, Bytes) {
        (text.to_owned(), bytes)
    }
    async fn before(&self, bytes: Bytes, more: Vec<u8>, number: u64) -> (Bytes, Vec<u8>, u64) {
        (bytes, more, number)
    }
    async fn all(&self, first: &[u8], second: Vec<u8>, third: Bytes, last: &[u8]) -> Vec<Vec<u8>> {
        vec![first.to_vec(), second, third.to_vec(), last.to_vec()]
    }
    async fn result(&self, bytes: Bytes, fails: bool) -> Result<Bytes, Vec<u8>> {
        if fails { Err(bytes.to_vec()) } else { Ok(bytes) }
    }
    async fn both(
        &self,
        bytes: Vec<u8>,
        items: impl Stream<Item = Bytes> + Send + Unpin,
    ) -> (Vec<u8>, impl Stream<Item = Bytes>) {
        let items: Vec<_> = items.collect().await;
        (bytes, stream::iter(items))
    }
    fn blocking(&self, bytes: Vec<u8>) -> Bytes {
        bytes.into()
    }
    fn inline(&self, bytes: Bytes) -> Vec<u8> {
        bytes.into()
    }
}

/// Around every size at which something else is done.
const SIZES: [usize; 12] =
    [0, 1, 37, 39, 4095, 4096, (16 << 10) - 1, 16 << 10, (64 << 10) - 5, 70_000, 1 << 20, (9 << 20) + 3];

fn sample(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index / 3) as u8).collect()
}

#[tokio::test]
async fn bytes_of_every_size_survive_in_every_place() {
    let client: MirroringClient = Mirror::spawn(()).connect().await.unwrap();
    for size in SIZES {
        let vec = sample(size);
        let bytes = Bytes::from(vec.clone());
        assert!(within(client.slice(&vec)).await.unwrap() == vec);
        assert!(within(client.vec(vec.clone())).await.unwrap() == vec);
        assert!(within(client.shared(bytes.clone())).await.unwrap() == vec);
        assert!(within(client.alias(vec.clone())).await.unwrap() == vec);
        assert!(within(client.behind("text", bytes.clone())).await.unwrap() == ("text".to_owned(), bytes.clone()));
        let before = within(client.before(bytes.clone(), vec.clone(), 7)).await.unwrap();
        assert!(before == (bytes.clone(), vec.clone(), 7));
        let all = within(client.all(&vec, vec.clone(), bytes.clone(), &vec)).await.unwrap();
        assert!(all.iter().all(|one| *one == vec));
        assert!(within(client.result(bytes.clone(), false)).await.unwrap() == bytes);
        let error = within(client.result(bytes.clone(), true)).await.unwrap_err();
        assert!(matches!(error, CallError::App(error) if error == vec));
        let items = vec![bytes.clone(); 3];
        let (first, updates) = within(client.both(vec.clone(), stream::iter(items.clone()))).await.unwrap();
        assert!(first == vec);
        assert!(within(updates.map(Result::unwrap).collect::<Vec<_>>()).await == items);
        assert!(within(client.blocking(vec.clone())).await.unwrap() == vec);
        assert!(within(client.inline(bytes)).await.unwrap() == vec);
    }
    let named = other::Bytes { text: "not bytes".to_owned() };
    assert_eq!(within(client.named(named.clone())).await.unwrap(), named);
}

#[tokio::test]
async fn many_large_messages_at_once_are_not_mixed_up() {
    let client: MirroringClient = Mirror::spawn(()).connect().await.unwrap();
    let echo = async |seed: usize| {
        for round in 0..10 {
            let bytes = vec![(seed * 10 + round) as u8; 100_000 * (1 + seed % 4)];
            assert!(within(client.vec(bytes.clone())).await.unwrap() == bytes);
            assert!(within(client.slice(&bytes)).await.unwrap() == bytes);
            assert!(within(client.shared(bytes.clone().into())).await.unwrap() == bytes);
        }
    };
    futures_util::future::join_all((0..16).map(echo)).await;
}

#[tokio::test]
async fn bytes_above_the_limit_are_refused() {
    let mut settings = Settings::default();
    settings.max_message_size = 100_000;
    let client: MirroringClient = Mirror::spawn(()).settings(settings).connect().await.unwrap();
    let vec = sample(100_000);
    assert!(within(client.vec(vec.clone())).await.unwrap() == vec);
    let vec = sample(100_001);
    assert!(matches!(within(client.vec(vec.clone())).await, Err(CallError::TooBig(_))));
    assert!(matches!(within(client.slice(&vec)).await, Err(CallError::TooBig(_))));
    assert!(matches!(within(client.shared(vec.into())).await, Err(CallError::TooBig(_))));
    assert!(matches!(within(client.behind("text", sample(99_999).into())).await, Err(CallError::TooBig(_))));
}

/// Bytes whose end is noticed by code that uses the connection.
#[derive(Debug)]
struct Noticed {
    bytes: Vec<u8>,
    client: MirroringClient,
    dropped: std::sync::mpsc::Sender<()>,
}

impl AsRef<[u8]> for Noticed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Noticed {
    fn drop(&mut self) {
        drop(self.client.inline(Bytes::new()).start());
        let _ = self.dropped.send(());
    }
}

/// Under the connection's lock it would wait for itself.
#[tokio::test]
async fn what_was_sent_is_dropped_outside_of_the_lock() {
    let client: MirroringClient = Mirror::spawn(()).connect().await.unwrap();
    let (dropped, was_dropped) = std::sync::mpsc::channel();
    for size in [100, 20_000, 3 << 20] {
        let noticed = Noticed { bytes: sample(size), client: client.clone(), dropped: dropped.clone() };
        let bytes = Bytes::from_owner(noticed);
        assert!(within(client.shared(bytes)).await.unwrap() == sample(size));
        within(async {
            while was_dropped.try_recv().is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}
