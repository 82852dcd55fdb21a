//! The scenarios of the original's examples.

use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{CallError, Client, Init, Spawn, WorkerContext};

#[rpc_parallel::worker]
trait Sum {
    /// 0 + .. + (n - 1)
    async fn sum(&self, n: u64) -> u64;
    async fn divide(&self, a: u64, b: u64) -> Result<u64, String>;
    async fn range(&self, to: u64) -> impl Stream<Item = u64>;
    async fn sum_all(&self, values: impl Stream<Item = u64>) -> u64;
    async fn doubled(&self, values: impl Stream<Item = u64>) -> impl Stream<Item = u64>;
    async fn state(&self, n: u64) -> Result<(String, impl Stream<Item = char>), String>;
    fn crunch(&self, n: u64) -> u64;
    async fn fail(&self);
    async fn pid(&self) -> u32;
    #[rpc(one_way)]
    fn note(&self, text: String);
}

struct Summer;

impl Init for Summer {
    type Arg = ();
    type Error = std::convert::Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Sum for Summer {
    async fn sum(&self, n: u64) -> u64 {
        (0..n).sum()
    }
    async fn divide(&self, a: u64, b: u64) -> Result<u64, String> {
        a.checked_div(b).ok_or_else(|| "by zero".to_owned())
    }
    async fn range(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }
    async fn sum_all(&self, mut values: impl Stream<Item = u64> + Send + Unpin) -> u64 {
        let mut sum = 0;
        while let Some(value) = values.next().await {
            sum += value;
        }
        sum
    }
    async fn doubled(&self, values: impl Stream<Item = u64> + Send + Unpin) -> impl Stream<Item = u64> {
        values.map(|value| 2 * value)
    }
    async fn state(&self, n: u64) -> Result<(String, impl Stream<Item = char>), String> {
        Ok(("hello world ".to_owned(), stream::iter(('a'..='z').take(n as usize))))
    }
    fn crunch(&self, n: u64) -> u64 {
        (1..=n).product()
    }
    async fn fail(&self) {
        panic!("on purpose");
    }
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    fn note(&self, text: String) {
        eprintln!("note: {text}");
    }
}

#[tokio::test]
async fn c001_sum() {
    let worker = Summer::spawn(()).name("sum").await.unwrap();
    let client = worker.connect().await.unwrap();
    assert_eq!(client.sum(42).await.unwrap(), 861);
    assert_eq!(client.sum(10).await.unwrap(), 45);
    assert_eq!(client.crunch(10).await.unwrap(), 3_628_800);
    assert_ne!(client.pid().await.unwrap(), std::process::id());
    assert!(matches!(client.divide(1, 0).await, Err(CallError::App(text)) if text == "by zero"));
    let range: Vec<u64> = client.range(100_000).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(range, (0..100_000).collect::<Vec<_>>());
    assert_eq!(client.sum_all(stream::iter(0..100_000)).await.unwrap(), 4_999_950_000);
    let doubled: Vec<u64> = client.doubled(stream::iter(0..1000)).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(doubled, (0..1000).map(|n| 2 * n).collect::<Vec<_>>());
    let (mut text, updates) = client.state(10).await.unwrap();
    text.extend(updates.map(Result::unwrap).collect::<Vec<_>>().await);
    assert_eq!(text, "hello world abcdefghij");
    client.note("x".into()).await.unwrap();
    match client.fail().await {
        Err(CallError::Panicked(report)) => {
            assert_eq!(report.message, "on purpose");
            assert!(report.location.unwrap().contains("examples.rs"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.sum(42).await.unwrap(), 861);
    client.close();
    let report = worker.shutdown().await;
    assert!(report.exit.is_success(), "{report}");
}
