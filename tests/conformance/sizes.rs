//! Messages that are too large: refused before they are sent, and the connection lives.

use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{CallError, Client, Settings, Spawn, Spawned};

use crate::{
    connections::changed,
    support::{stateless, within},
};

stateless!(Bulk);

const LIMIT: usize = 4096;

#[rpc_parallel::worker]
pub(crate) trait Bulky {
    async fn length(&self, text: &str) -> usize;
    async fn texts(&self, sizes: &[usize]) -> impl Stream<Item = String>;
    async fn text(&self, size: usize) -> Result<String, String>;
    async fn fail(&self, size: usize) -> Result<String, String>;
    async fn lengths(&self, texts: impl Stream<Item = String>) -> Vec<usize>;
    fn panic(&self, size: usize);
}

#[rpc_parallel::worker]
impl Bulky for Bulk {
    async fn length(&self, text: &str) -> usize {
        text.len()
    }
    async fn texts(&self, sizes: &[usize]) -> impl Stream<Item = String> {
        stream::iter(sizes.to_vec()).map(|size| "x".repeat(size))
    }
    async fn text(&self, size: usize) -> Result<String, String> {
        Ok("x".repeat(size))
    }
    async fn fail(&self, size: usize) -> Result<String, String> {
        Err("x".repeat(size))
    }
    async fn lengths(&self, texts: impl Stream<Item = String> + Send + Unpin) -> Vec<usize> {
        texts.map(|text| text.len()).collect().await
    }
    fn panic(&self, size: usize) {
        panic!("{}", "x".repeat(size));
    }
}

fn limited(limit: usize) -> Settings {
    let mut settings = Settings::default();
    settings.max_message_size = limit;
    settings
}

async fn spawn() -> Spawned<BulkyClient> {
    Bulk::spawn(()).settings(limited(LIMIT)).await.unwrap()
}

#[track_caller]
fn too_big<T: std::fmt::Debug, E: std::fmt::Debug + std::fmt::Display>(
    result: Result<T, CallError<E>>,
    what: &str,
    at_least: usize,
) {
    match result {
        Err(error @ CallError::TooBig(_)) => {
            let text = error.to_string();
            let CallError::TooBig(found) = error else { unreachable!() };
            let (size, limit) = (found.size, found.limit);
            assert!(found.what.contains(what), "{}", found.what);
            assert!(size as usize >= at_least && limit as usize == LIMIT, "{size} {limit}");
            assert!(text.contains("Settings::max_message_size"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

/// Arguments above the limit fail here, before a byte is sent; so does an item of the caller's stream.
#[tokio::test]
async fn c167_arguments_above_the_limit() {
    let worker = spawn().await;
    let client = worker.connect().await.unwrap();
    let sent = client.traffic().sent;
    too_big(within(client.length(&"x".repeat(10_000))).await, "the arguments of", 10_000);
    too_big(within(client.texts(&[1; 10_000])).await, "`sizes`", 10_000);
    assert_eq!(client.traffic().sent, sent);
    let texts = stream::iter([10, 10_000, 10]).map(|size| "x".repeat(size));
    too_big(within(client.lengths(texts)).await, "item", 10_000);
    // What fits is what the limit says, with the length that goes before a text.
    assert_eq!(client.length(&"x".repeat(LIMIT - 2)).await.unwrap(), LIMIT - 2);
    too_big(client.length(&"x".repeat(LIMIT - 1)).await, "the arguments of", LIMIT + 1);
}

/// A reply above the limit becomes an error that says so, be it a value or the method's own error.
#[tokio::test]
async fn c168_replies_above_the_limit() {
    let worker = spawn().await;
    let client = worker.connect().await.unwrap();
    too_big(within(client.text(10_000)).await, "the reply", 10_000);
    too_big(within(client.fail(10_000)).await, "the method's error", 10_000);
    assert_eq!(client.text(100).await.unwrap().len(), 100);
    assert!(matches!(client.fail(1).await, Err(CallError::App(text)) if text == "x"));
    // Of a panic's message the beginning comes, with its place.
    match within(client.panic(10_000)).await {
        Err(CallError::Panicked(report)) => {
            assert!(report.message.starts_with("xxx") && report.message.len() < LIMIT, "{report}");
            assert!(report.location.unwrap().contains("sizes.rs"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.text(7).await.unwrap().len(), 7);
}

/// A stream ends once, at the first item above the limit, after those before it.
#[tokio::test]
async fn c169_items_above_the_limit() {
    let worker = spawn().await;
    let client = worker.connect().await.unwrap();
    let mut items = client.texts(&[1, 2, 10_000, 3, 10_000]).await.unwrap();
    for expected in [1, 2] {
        assert_eq!(within(items.next()).await.unwrap().unwrap().len(), expected);
    }
    too_big(within(items.next()).await.unwrap(), "an item", 10_000);
    assert!(within(items.next()).await.is_none());
    assert_eq!(within(client.texts(&[4]).await.unwrap().collect::<Vec<_>>()).await.len(), 1);
}

/// Two sides with different limits: each tells the other of its own when they greet each other, so that the lower one
/// counts for both, and the connection lives.
#[tokio::test]
async fn c170_the_lower_limit_counts() {
    let worker = spawn().await;
    let generous = changed(worker.worker(), |parts| parts.settings = limited(1 << 20));
    let client = within(generous.connect()).await.unwrap();
    too_big(within(client.length(&"x".repeat(10_000))).await, "the arguments of", 10_000);
    too_big(within(client.text(10_000)).await, "the reply", 10_000);
    assert_eq!(client.text(100).await.unwrap().len(), 100);

    let worker = Bulk::spawn::<BulkyClient>(()).settings(limited(1 << 20)).await.unwrap();
    let strict = changed(worker.worker(), |parts| parts.settings = limited(LIMIT));
    let client = within(strict.connect()).await.unwrap();
    too_big(within(client.text(10_000)).await, "the reply", 10_000);
    let mut items = client.texts(&[5, 10_000]).await.unwrap();
    assert_eq!(within(items.next()).await.unwrap().unwrap().len(), 5);
    too_big(within(items.next()).await.unwrap(), "an item", 10_000);
    assert_eq!(client.length("abc").await.unwrap(), 3);
}
