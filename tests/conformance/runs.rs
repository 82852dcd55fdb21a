//! Small items, which are written and read many at a time: what befalls one of them befalls no other.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Mutex};

use futures_util::{FutureExt, Stream, StreamExt, stream};
use rpc_parallel::{CallError, Init, Settings, Spawn, WorkerContext};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::support::{all, until, within};

/// An item of four bytes that may be odd.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Plain(u16, Odd);

impl Plain {
    /// So many items, of which some are odd.
    fn items(count: u16, odd: &[(u16, Odd)]) -> Vec<Self> {
        let is = |n| odd.iter().find(|(at, _)| *at == n).map_or(Odd::Not, |(_, odd)| *odd);
        (0..count).map(|n| Self(n, is(n))).collect()
    }
}

/// Of two bytes, in its own way to travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Odd {
    Not,
    /// So many times a hundred bytes.
    Long(u8),
    Unwritable,
    Unreadable,
    PanicsWritten,
    PanicsRead,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, size) = match self {
            Self::Not => (0_u8, 0),
            Self::Long(hundreds) => (1, 100 * usize::from(*hundreds)),
            Self::Unreadable => (2, 0),
            Self::PanicsRead => (3, 0),
            Self::Unwritable => return Err(ser::Error::custom("text of the writer")),
            Self::PanicsWritten => panic!("panic of the writer"),
        };
        (kind, "x".repeat(size)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <(u8, String)>::deserialize(deserializer)? {
            (0, _) => Ok(Self::Not),
            (1, text) => Ok(Self::Long((text.len() / 100) as u8)),
            (2, _) => Err(de::Error::custom("text of the reader")),
            _ => panic!("panic of the reader"),
        }
    }
}

/// As large as what is handled many at a time may be.
pub(crate) type Block = [u64; 8];

/// Not all of them are equally long.
fn block(n: usize) -> Block {
    std::array::from_fn(|at| if n % 7 == 3 { u64::MAX } else { (n * at) as u64 })
}

/// What came of the uploads.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Vec<Plain>>);

impl Init for Seen {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self::default())
    }
}

#[rpc_parallel::worker]
pub(crate) trait Runs {
    /// The items, and then an end, a panic of the producer, or nothing.
    async fn items(&self, items: Vec<(u16, u8, u8)>, then: u8) -> impl Stream<Item = Plain>;
    async fn numbers(&self, numbers: Vec<u64>) -> impl Stream<Item = u64>;
    async fn nothings(&self, count: usize) -> impl Stream<Item = ()>;
    async fn blocks(&self, count: usize) -> impl Stream<Item = Block>;
    /// How many were the ones that were to come.
    async fn take_blocks(&self, blocks: impl Stream<Item = Block>) -> usize;
    async fn take(&self, items: impl Stream<Item = Plain>) -> usize;
    async fn take_numbers(&self, numbers: impl Stream<Item = u64>) -> Vec<u64>;
    async fn seen(&self) -> Vec<u16>;
}

const END: u8 = 0;
const PANIC: u8 = 1;
const PENDING: u8 = 2;

#[rpc_parallel::worker]
impl Runs for Seen {
    async fn items(&self, items: Vec<(u16, u8, u8)>, then: u8) -> impl Stream<Item = Plain> {
        let items = stream::iter(items).map(|(n, odd, hundreds)| match odd {
            0 => Plain(n, Odd::Not),
            1 => Plain(n, Odd::Long(hundreds)),
            2 => Plain(n, Odd::Unwritable),
            3 => Plain(n, Odd::Unreadable),
            4 => Plain(n, Odd::PanicsWritten),
            _ => Plain(n, Odd::PanicsRead),
        });
        items.chain(stream::poll_fn(move |_| match then {
            END => std::task::Poll::Ready(None),
            PANIC => panic!("panic of the producer"),
            _ => std::task::Poll::Pending,
        }))
    }
    async fn numbers(&self, numbers: Vec<u64>) -> impl Stream<Item = u64> {
        stream::iter(numbers)
    }
    async fn nothings(&self, count: usize) -> impl Stream<Item = ()> {
        stream::iter(0..count).map(|_| ())
    }
    async fn blocks(&self, count: usize) -> impl Stream<Item = Block> {
        stream::iter(0..count).map(block)
    }
    async fn take_blocks(&self, blocks: impl Stream<Item = Block> + Send + Unpin) -> usize {
        blocks.enumerate().filter(|(n, found)| std::future::ready(*found == block(*n))).count().await
    }
    async fn take(&self, items: impl Stream<Item = Plain> + Send + Unpin) -> usize {
        self.0.lock().unwrap().clear();
        let mut items = items;
        while let Some(item) = items.next().await {
            self.0.lock().unwrap().push(item);
        }
        self.0.lock().unwrap().len()
    }
    async fn take_numbers(&self, numbers: impl Stream<Item = u64> + Send + Unpin) -> Vec<u64> {
        numbers.collect().await
    }
    async fn seen(&self) -> Vec<u16> {
        self.0.lock().unwrap().iter().map(|item| item.0).collect()
    }
}

fn sent(items: &[Plain]) -> Vec<(u16, u8, u8)> {
    let sent = items.iter().map(|Plain(n, odd)| match odd {
        Odd::Not => (*n, 0, 0),
        Odd::Long(hundreds) => (*n, 1, *hundreds),
        Odd::Unwritable => (*n, 2, 0),
        Odd::Unreadable => (*n, 3, 0),
        Odd::PanicsWritten => (*n, 4, 0),
        Odd::PanicsRead => (*n, 5, 0),
    });
    sent.collect()
}

/// More than are written or read at a time, by one and by many.
const COUNTS: [u16; 9] = [0, 1, 2, 63, 64, 65, 128, 129, 1000];

/// Where something happens: at the start, in and between the items that travel together.
const PLACES: [u16; 7] = [0, 1, 5, 63, 64, 65, 150];

async fn connect(window: Option<usize>) -> RunsClient {
    let mut settings = Settings::default();
    if let Some(window) = window {
        settings.max_message_size = LIMIT;
        settings.stream_window = window;
    }
    Seen::spawn(()).settings(settings).connect().await.unwrap()
}

const LIMIT: usize = 4096;

/// All items come before the end, and before a wait.
#[tokio::test]
async fn nothing_is_withheld() {
    let client = connect(None).await;
    for count in COUNTS {
        let items = Plain::items(count, &[]);
        assert_eq!(within(all(client.items(sent(&items), END).await.unwrap())).await, items);
        let mut pending = client.items(sent(&items), PENDING).await.unwrap();
        for expected in &items {
            assert_eq!(within(pending.next()).await.unwrap().unwrap(), *expected);
        }
        drop(pending);
        assert_eq!(within(client.take(stream::iter(items.clone()))).await.unwrap(), items.len());
        let pending = client.take(stream::iter(items.clone()).chain(stream::pending())).start();
        until("all have come", async || client.seen().await.unwrap().len() == items.len()).await;
        drop(pending);
        assert_eq!(within(all(client.nothings(count.into()).await.unwrap())).await.len(), usize::from(count));
    }
}

/// Numbers of all lengths, in rows and mixed.
#[tokio::test]
async fn numbers_of_all_lengths() {
    let client = connect(None).await;
    let mixed = (0..3000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (n * 7 % 64));
    let rows = (0..64).flat_map(|bits| vec![1 << bits; bits % 7 * 40]);
    let numbers: Vec<u64> = mixed.chain(rows).chain(0..70_000).chain([u64::MAX; 200]).collect();
    assert_eq!(within(all(client.numbers(numbers.clone()).await.unwrap())).await, numbers);
    assert_eq!(within(client.take_numbers(stream::iter(numbers.clone()))).await.unwrap(), numbers);
}

/// Items that are longer than such items mostly are, in windows that take few of them.
#[tokio::test]
async fn items_that_are_longer_than_expected() {
    for window in [LIMIT, 50 * LIMIT] {
        let client = connect(Some(window)).await;
        let long: Vec<_> = (0..500).map(|n| (n, Odd::Long((n * 7 % 40) as u8))).collect();
        let items = Plain::items(600, &long);
        assert_eq!(within(all(client.items(sent(&items), END).await.unwrap())).await, items);
        assert_eq!(within(client.take(stream::iter(items))).await.unwrap(), 600);
    }
}

/// An item that cannot be written, or is too large, ends the stream after those before it.
#[tokio::test]
async fn what_cannot_be_written_comes_after_what_can() {
    for window in [LIMIT, 50 * LIMIT] {
        let client = connect(Some(window)).await;
        for place in PLACES {
            for (odd, then) in [Odd::Unwritable, Odd::Long(200), Odd::PanicsWritten].map(|odd| (odd, PANIC)) {
                // Which longer ones before it make wait.
                let items = Plain::items(200, &[(place, odd), (place.wrapping_sub(2), Odd::Long(30))]);
                let read: Vec<_> = within(client.items(sent(&items), then).await.unwrap().collect()).await;
                assert_eq!(read.len(), usize::from(place) + 1);
                assert!(
                    read.iter().zip(&items).take(place.into()).all(|(read, item)| read.as_ref().unwrap() == item)
                );
                match (odd, read.last().unwrap()) {
                    (Odd::Long(_), Err(CallError::TooBig(found))) => assert!(found.size > 20_000),
                    (Odd::PanicsWritten, Err(error)) => assert!(error.to_string().contains("panic of the writer")),
                    (_, Err(error)) => assert!(error.to_string().contains("text of the writer"), "{error}"),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

/// Items that take a cache line each, with credit for fewer than are collected, and for more.
#[tokio::test]
async fn items_of_a_cache_line_arrive() {
    for window in [1024, 1 << 20] {
        let client = connect(Some(window)).await;
        for count in COUNTS.map(usize::from) {
            let blocks: Vec<_> = (0..count).map(block).collect();
            let read: Vec<_> = within(client.blocks(count).await.unwrap().collect()).await;
            assert_eq!(read.into_iter().map(Result::unwrap).collect::<Vec<_>>(), blocks);
            assert_eq!(within(client.take_blocks(stream::iter(blocks))).await.unwrap(), count);
        }
    }
}

/// A producer that panics does so after what it has produced.
#[tokio::test]
async fn a_panic_of_the_producer_comes_after_its_items() {
    let client = connect(None).await;
    for count in COUNTS {
        let items = Plain::items(count, &[]);
        let mut read: Vec<_> = within(client.items(sent(&items), PANIC).await.unwrap().collect()).await;
        let error = read.pop().unwrap().unwrap_err().to_string();
        assert!(error.contains("panic of the producer"), "{error}");
        assert_eq!(read.into_iter().map(Result::unwrap).collect::<Vec<_>>(), items);
    }
}

/// What comes before an item that cannot be read is read, by whoever reads.
#[tokio::test]
async fn what_cannot_be_read_comes_after_what_can() {
    let client = connect(None).await;
    for place in PLACES {
        let items = Plain::items(200, &[(place, Odd::Unreadable)]);
        let read: Vec<_> = within(client.items(sent(&items), END).await.unwrap().collect()).await;
        assert_eq!(read.len(), usize::from(place) + 1);
        assert!(read.iter().zip(&items).take(place.into()).all(|(read, item)| read.as_ref().unwrap() == item));
        assert!(matches!(read.last().unwrap(), Err(CallError::Decode(text)) if text.contains("text of the reader")));

        match within(client.take(stream::iter(items))).await {
            Err(CallError::Decode(text)) => assert!(text.contains("text of the reader"), "{text}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(client.seen().await.unwrap(), (0..place).collect::<Vec<_>>());
    }
}

/// A panic of an item's reader is that of the poll that asks for it, and takes no other item with it.
#[tokio::test]
async fn a_panic_of_the_reader_comes_when_its_item_is_asked_for() {
    let client = connect(None).await;
    for place in PLACES {
        let items = Plain::items(200, &[(place, Odd::PanicsRead)]);
        let mut reader = client.items(sent(&items), END).await.unwrap();
        for item in &items {
            let read = within(AssertUnwindSafe(reader.next()).catch_unwind()).await;
            if item.0 == place {
                assert_eq!(read.unwrap_err().downcast_ref(), Some(&"panic of the reader"));
            } else {
                assert_eq!(read.unwrap().unwrap().unwrap(), *item);
            }
        }
        assert!(within(reader.next()).await.is_none());

        let error = within(client.take(stream::iter(items))).await.unwrap_err().to_string();
        assert!(error.contains("panic of the reader"), "{error}");
        assert_eq!(client.seen().await.unwrap(), (0..place).collect::<Vec<_>>());
    }
}
