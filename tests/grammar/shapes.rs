//! One trait with a method of each shape.

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::block_on;
use futures_util::{Stream, StreamExt, future, stream};
use rpc_parallel::{Fault, FunctionKind, Init, WorkerContext, worker};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Book {
    title: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    text: &'a str,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Missing {
    Book(String),
}

pub(crate) type Found<T> = Result<T, Missing>;
pub(crate) type BookOrMissing = Result<Book, Missing>;

mod io_like {
    pub(crate) type Result<T> = std::result::Result<T, super::Missing>;
}

/// Everything.
#[worker]
pub(crate) trait Everything {
    /// A call.
    async fn add(&self, n: u64) -> u64;
    async fn nothing(&self);
    async fn unit(&self) -> ();
    async fn borrowed(&self, name: &str, xs: &[u32], book: &Book, path: &Path, maybe: Option<&Book>) -> String;
    async fn borrowed_within(
        &self,
        names: &[&str],
        pair: (&str, &[u8]),
        maybe: Option<&str>,
        list: Vec<&str>,
    ) -> usize;
    async fn line(&self, line: Line<'_>) -> usize;
    async fn lent_line(&self, line: &Line<'_>) -> usize;
    #[allow(clippy::ptr_arg)]
    async fn vec_ref(&self, list: &Vec<u64>) -> u64;
    async fn bytes(&self, bytes: &[u8], more: Vec<u8>, maybe: Option<&[u8]>) -> Vec<u8>;
    async fn many(&self, map: HashMap<String, Vec<Book>>, array: [u8; 4], unit: ()) -> Option<(u8, String)>;
    async fn divide(&self, by: u64) -> Result<u64, Missing>;
    #[allow(unused_qualifications)]
    async fn std_result(&self) -> std::result::Result<u64, Missing>;
    async fn fault(&self, text: &str) -> Result<u32, Fault>;
    async fn read(&self) -> io_like::Result<u64>;
    async fn found(&self) -> Found<u64>;
    async fn found_book(&self) -> BookOrMissing;
    async fn book(&self) -> Book;
    async fn result_argument(&self, result: Result<u64, String>) -> bool;
    #[rpc(plain)]
    async fn unflattened(&self) -> Result<u64, Missing>;
    async fn range(&self, to: u64) -> impl Stream<Item = u64>;
    async fn lines(&self, text: &str) -> Result<impl Stream<Item = String>, Missing>;
    async fn aliased_lines(&self) -> io_like::Result<impl Stream<Item = String>>;
    async fn watch(&self) -> (Book, impl Stream<Item = u64>);
    async fn watch_book(&self, title: &str) -> Result<(Book, impl Stream<Item = Book>), Missing>;
    async fn aliased_watch(&self) -> io_like::Result<(Book, impl Stream<Item = u64>)>;
    async fn sum_all(&self, values: impl Stream<Item = u64>) -> u64;
    async fn two_uploads(&self, left: impl Stream<Item = u64>, by: &str, right: impl Stream<Item = String>)
    -> String;
    async fn echo(&self, values: impl Stream<Item = u64>) -> impl Stream<Item = u64>;
    async fn fallible_echo(&self, values: impl Stream<Item = Book>) -> Result<impl Stream<Item = Book>, Missing>;
    fn crunch(&self, n: u64) -> u64;
    fn crunch_text(&self, text: &str, books: &[Book]) -> Result<u64, Missing>;
    fn crunch_alias(&self) -> Found<u64>;
    #[rpc(inline)]
    fn len(&self) -> u64;
    #[rpc(inline)]
    fn first_word(&self, text: &str) -> Option<String>;
    #[rpc(one_way)]
    fn note(&self, text: String);
    #[rpc(one_way)]
    fn note_borrowed(&self, text: &str, book: &Book);
    #[rpc(one_way)]
    async fn note_later(&self, n: u64);
    #[rpc(local)]
    fn helper(&self) -> usize {
        1
    }
    #[rpc(local)]
    fn generic_helper<T: fmt::Debug>(&self, value: &T) -> String {
        format!("{value:?}")
    }
    #[rpc(name = "everything.pinned")]
    async fn pinned(&self) -> bool;
    #[rpc(inline, name = "everything.also")]
    fn also_pinned(&self) -> bool;
    async fn with_default(&self, text: &str) -> usize {
        self.add(text.len() as u64).await as usize
    }
    async fn fallible_default(&self, n: u64) -> Result<u64, Missing> {
        let half = self.divide(n).await?;
        if half == 0 {
            return Err(Missing::Book(String::new()));
        }
        Ok(half)
    }
    fn plain_default(&self) -> u64 {
        7
    }
    #[cfg(any())]
    async fn absent(&self, what: DoesNotExist) -> AlsoNot;
    #[cfg(not(any()))]
    async fn present(&self) -> u8;
    async fn r#gen(&self, r#type: u8) -> u8;
    // Names that the expansion uses itself, and names that a client has from elsewhere.
    async fn clone(&self, state: u8, answer: u8, payload: u8, reader: u8, arguments: u8) -> u8;
    async fn fmt(&self, error: u8, output: u8, incoming: u8, core: u8) -> u8;
    async fn core(&self) -> u8;
    async fn deadline(&self) -> u8;
    #[deprecated]
    async fn old(&self) -> u8 {
        0
    }
    #[allow(clippy::too_many_arguments)]
    async fn wide(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8;
}

pub(crate) struct State {
    sum: AtomicU64,
    books: Vec<Book>,
}

impl State {
    fn new() -> Self {
        Self { sum: AtomicU64::new(0), books: vec![Book { title: "one".into() }] }
    }
}

impl Init for State {
    type Arg = u64;
    type Error = io::Error;

    async fn init(_: u64, _: &WorkerContext) -> Result<Self, io::Error> {
        Ok(Self::new())
    }
}

#[worker]
impl Everything for State {
    async fn add(&self, n: u64) -> u64 {
        self.sum.fetch_add(n, Ordering::Relaxed) + n
    }
    async fn nothing(&self) {}
    async fn unit(&self) {}
    async fn borrowed(&self, name: &str, xs: &[u32], book: &Book, path: &Path, maybe: Option<&Book>) -> String {
        future::ready(()).await;
        format!("{name} {xs:?} {} {} {}", book.title, path.display(), maybe.is_some())
    }
    async fn borrowed_within(
        &self,
        names: &[&str],
        pair: (&str, &[u8]),
        maybe: Option<&str>,
        list: Vec<&str>,
    ) -> usize {
        future::ready(()).await;
        names.len() + pair.1.len() + maybe.map_or(0, str::len) + list.len()
    }
    async fn line(&self, line: Line<'_>) -> usize {
        future::ready(()).await;
        line.text.len()
    }
    async fn lent_line(&self, line: &Line<'_>) -> usize {
        future::ready(()).await;
        line.text.len()
    }
    async fn vec_ref(&self, list: &Vec<u64>) -> u64 {
        list.iter().sum()
    }
    async fn bytes(&self, bytes: &[u8], more: Vec<u8>, maybe: Option<&[u8]>) -> Vec<u8> {
        [bytes, &more, maybe.unwrap_or_default()].concat()
    }
    async fn many(&self, map: HashMap<String, Vec<Book>>, array: [u8; 4], (): ()) -> Option<(u8, String)> {
        Some((array[0], map.into_keys().next()?))
    }
    async fn divide(&self, by: u64) -> Result<u64, Missing> {
        100u64.checked_div(by).ok_or_else(|| Missing::Book("zero".into()))
    }
    async fn std_result(&self) -> Result<u64, Missing> {
        Ok(1)
    }
    async fn fault(&self, text: &str) -> Result<u32, Fault> {
        Ok(text.parse()?)
    }
    async fn read(&self) -> io_like::Result<u64> {
        Ok(1)
    }
    async fn found(&self) -> Found<u64> {
        Ok(1)
    }
    async fn found_book(&self) -> BookOrMissing {
        self.books.first().cloned().ok_or_else(|| Missing::Book("any".into()))
    }
    async fn book(&self) -> Book {
        self.books[0].clone()
    }
    async fn result_argument(&self, result: Result<u64, String>) -> bool {
        result.is_ok()
    }
    async fn unflattened(&self) -> Result<u64, Missing> {
        Ok(1)
    }
    async fn range(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }
    async fn lines(&self, text: &str) -> Result<impl Stream<Item = String>, Missing> {
        // Borrows from `self` and from an argument.
        Ok(stream::iter(text.lines()).map(|line| format!("{line} {}", self.books.len())))
    }
    async fn aliased_lines(&self) -> io_like::Result<impl Stream<Item = String>> {
        Ok(stream::iter(&self.books).map(|book| book.title.clone()))
    }
    async fn watch(&self) -> (Book, impl Stream<Item = u64>) {
        (self.books[0].clone(), stream::iter([1, 2]))
    }
    async fn watch_book(&self, title: &str) -> Result<(Book, impl Stream<Item = Book>), Missing> {
        let first =
            self.books.iter().find(|book| book.title == title).ok_or_else(|| Missing::Book(title.to_owned()))?;
        Ok((first.clone(), stream::iter(self.books.iter().cloned())))
    }
    async fn aliased_watch(&self) -> io_like::Result<(Book, impl Stream<Item = u64>)> {
        Ok((self.books[0].clone(), stream::empty()))
    }
    async fn sum_all(&self, mut values: impl Stream<Item = u64>) -> u64 {
        let mut sum = 0;
        while let Some(value) = values.next().await {
            sum += value;
        }
        sum
    }
    async fn two_uploads(
        &self,
        left: impl Stream<Item = u64>,
        by: &str,
        right: impl Stream<Item = String>,
    ) -> String {
        left.zip(right).map(|(left, right)| format!("{left}{by}{right}")).collect::<Vec<_>>().await.join(",")
    }
    async fn echo(&self, values: impl Stream<Item = u64>) -> impl Stream<Item = u64> {
        values.map(|value| value + self.sum.load(Ordering::Relaxed))
    }
    async fn fallible_echo(&self, values: impl Stream<Item = Book>) -> Result<impl Stream<Item = Book>, Missing> {
        Ok(values)
    }
    fn crunch(&self, n: u64) -> u64 {
        n * 2
    }
    fn crunch_text(&self, text: &str, books: &[Book]) -> Result<u64, Missing> {
        Ok((text.len() + books.len()) as u64)
    }
    fn crunch_alias(&self) -> Found<u64> {
        Ok(1)
    }
    fn len(&self) -> u64 {
        self.books.len() as u64
    }
    fn first_word(&self, text: &str) -> Option<String> {
        text.split(' ').next().map(str::to_owned)
    }
    fn note(&self, text: String) {
        self.sum.fetch_add(text.len() as u64, Ordering::Relaxed);
    }
    fn note_borrowed(&self, _text: &str, _book: &Book) {}
    async fn note_later(&self, _n: u64) {}
    async fn pinned(&self) -> bool {
        true
    }
    fn also_pinned(&self) -> bool {
        true
    }
    async fn present(&self) -> u8 {
        1
    }
    async fn r#gen(&self, r#type: u8) -> u8 {
        r#type
    }
    async fn clone(&self, state: u8, answer: u8, payload: u8, reader: u8, arguments: u8) -> u8 {
        state + answer + payload + reader + arguments
    }
    async fn fmt(&self, error: u8, output: u8, incoming: u8, core: u8) -> u8 {
        error + output + incoming + core
    }
    async fn core(&self) -> u8 {
        0
    }
    async fn deadline(&self) -> u8 {
        0
    }
    async fn wide(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
        a + b + c + d + e + f + g + h
    }
}

#[test]
fn methods_are_called_directly() {
    block_on(async {
        let state = State::new();
        assert_eq!(state.add(2).await, 2);
        assert_eq!(state.with_default("abc").await, 5);
        assert_eq!(state.fallible_default(10).await, Ok(10));
        assert_eq!(state.fallible_default(101).await, Err(Missing::Book(String::new())));
        let book = state.book().await;
        let path = PathBuf::from("/p");
        assert_eq!(state.borrowed("n", &[1], &book, &path, None).await, "n [1] one /p false");
        assert_eq!(state.borrowed_within(&["a"], ("b", b"cd"), Some("efg"), vec!["h"]).await, 7);
        assert_eq!(state.lines("a\nb").await.unwrap().collect::<Vec<_>>().await, ["a 1", "b 1"]);
        assert_eq!(state.sum_all(stream::iter([1, 2])).await, 3);
        let right = stream::iter(["x".to_owned()]);
        assert_eq!(state.two_uploads(stream::iter([1]), "-", right).await, "1-x");
        assert_eq!(state.echo(stream::iter([1])).await.collect::<Vec<_>>().await, [6]);
        assert!(state.watch_book("two").await.is_err());
        let (first, updates) = state.watch_book("one").await.unwrap();
        assert_eq!((first, updates.count().await), (book, 1));
        assert_eq!(state.generic_helper(&state.helper()), "1");
        assert_eq!(state.crunch(4) + state.plain_default() + state.len(), 16);
        assert_eq!(Everything::clone(&state, 1, 2, 3, 4, 5).await, 15);
        assert!(state.fault("x").await.is_err());
    });
}

#[test]
fn the_interface_describes_the_functions() {
    use rpc_parallel::{Client, FunctionId};

    let interface = EverythingClient::INTERFACE;
    assert_eq!(interface.name, "grammar::shapes::Everything");
    assert!(interface.file.ends_with("grammar/shapes.rs"));
    let find = |name: &str| {
        let name = format!("grammar::shapes::Everything::{name}");
        interface.functions.iter().find(|function| function.name == name).unwrap()
    };
    let add = find("add");
    assert_eq!(add.id, FunctionId::of_path(&["function", "grammar::shapes", "Everything", "add"]));
    assert_eq!((add.kind, add.uploads, add.download), (FunctionKind::Call, 0, false));
    let line = include_str!("shapes.rs").lines().position(|line| line.contains("async fn add(")).unwrap() + 1;
    assert_eq!(add.line as usize, line);
    assert_eq!(find("pinned").id, FunctionId::of_path(&["name", "everything.pinned"]));
    assert_eq!(find("gen").uploads, 0);
    assert_eq!((find("echo").uploads, find("echo").download), (1, true));
    assert_eq!(find("two_uploads").uploads, 2);
    assert_eq!(find("crunch").kind, FunctionKind::Blocking);
    assert_eq!(find("len").kind, FunctionKind::Inline);
    assert_eq!(find("note_later").kind, FunctionKind::OneWay);
    assert_ne!(find("add").signature, find("crunch").signature);
    assert!(interface.functions.iter().all(|function| !function.name.ends_with("::helper")));
    assert!(interface.functions.iter().all(|function| !function.name.ends_with("::absent")));
}

/// Results are flattened by their types, whatever they are called.
#[allow(clippy::let_underscore_future, dead_code)]
fn the_client_has_these_types(client: &EverythingClient) {
    use rpc_parallel::{Call, Streaming};

    let _: Call<u64> = client.add(1);
    let _: Call<()> = client.nothing();
    let _: Call<u64, Missing> = client.divide(1);
    let _: Call<u64, Missing> = client.std_result();
    let _: Call<u64, Missing> = client.read();
    let _: Call<u64, Missing> = client.found();
    let _: Call<Book, Missing> = client.found_book();
    let _: Call<Book> = client.book();
    let _: Call<u64, Missing> = client.crunch_alias();
    let _: Call<Streaming<u64>> = client.range(1);
    let _: Call<Streaming<String>, Missing> = client.lines("");
    let _: Call<Streaming<String>, Missing> = client.aliased_lines();
    let _: Call<(Book, Streaming<u64>)> = client.watch();
    let _: Call<(Book, Streaming<Book>), Missing> = client.watch_book("");
    let _: Call<(Book, Streaming<u64>), Missing> = client.aliased_watch();
    let _: Call<()> = client.note(String::new());
    let _: Call<u8> = client.clone(1, 2, 3, 4, 5);
    let another: EverythingClient = Clone::clone(client);
    fn is_task<T>(_: T)
    where
        T: Future + Send + 'static,
    {
    }
    is_task(another.borrowed(&"x".repeat(2), &[1], &Book { title: String::new() }, Path::new(""), None));
    is_task(client.sum_all(Box::pin(stream::once(async { 1 }))));
}
