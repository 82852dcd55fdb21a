//! The macros of `rpc-parallel`, which re-exports them. Each is parse, model, check, expand.

mod args;
mod check;
mod check_types;
mod expand;
mod model;
mod parse;
mod paths;
mod report;
#[cfg(test)]
mod tests;
mod types;

use proc_macro::TokenStream;

use crate::{parse::Input, report::Errors};

/// Makes a worker trait of a trait, and registers an implementation of it.
///
/// # On a trait
///
/// ```
/// use futures_util::Stream;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Deserialize, Serialize)]
/// # pub struct Book;
/// # #[derive(Deserialize, Serialize)]
/// # pub struct Update;
/// # #[derive(Deserialize, Serialize)]
/// # pub struct DivisionByZero;
/// # #[derive(Deserialize, Serialize)]
/// # pub struct Missing;
///
/// #[rpc_parallel::worker]
/// pub trait Counter {
///     /// A call.
///     async fn add(&self, n: u64) -> u64;
///     /// Borrowed arguments are encoded in place; at the worker `&str` and `&[u8]` are read without a copy.
///     async fn greet(&self, name: &str, numbers: &[u32], book: &Book) -> String;
///     /// Keeps its error: the client's call gives `Result<u64, CallError<DivisionByZero>>`.
///     async fn divide(&self, by: u64) -> Result<u64, DivisionByZero>;
///     /// A stream of items, a stream of arguments, or both.
///     async fn range(&self, to: u64) -> impl Stream<Item = u64>;
///     async fn lines(&self, path: &str) -> Result<impl Stream<Item = String>, Missing>;
///     async fn sum_all(&self, values: impl Stream<Item = u64>) -> u64;
///     /// A first value and its updates, with or without `Result`.
///     async fn book(&self, symbol: &str) -> Result<(Book, impl Stream<Item = Update>), Missing>;
///     /// A plain `fn` may compute or block: it runs on the blocking pool.
///     fn crunch(&self, n: u64) -> u64;
///     /// Cheap: it runs on the connection's own task.
///     #[rpc(inline)]
///     fn len(&self) -> u64;
///     /// Sent, never answered.
///     #[rpc(one_way)]
///     fn note(&self, text: String);
///     /// No call, but a part of the trait. It has a body.
///     #[rpc(local)]
///     fn helper(&self) -> usize {
///         1
///     }
/// }
/// ```
///
/// The trait stays an ordinary trait that any type can implement and any test can call, without a process. What
/// changes: `async fn` is `fn -> impl Future + Send`, streams are `Send`, and implementing types are
/// `Send + Sync + 'static`.
///
/// Beside it there is a client, `CounterClient`, whose methods have the same names and arguments, and return a
/// `Call`. Streams come as `Streaming<T>`.
///
/// Arguments of the attribute:
///
/// - `name = ".."` pins the interface's id, for a trait that moves to another module.
/// - `connect = Type` is the argument of `connect`, for implementations with a state for each connection.
/// - `client = Name` names the client.
/// - `crate = path` is where the library is, if not at `::rpc_parallel`.
///
/// And of `#[rpc(..)]` on a method, beside `inline`, `one_way` and `local`:
///
/// - `name = ".."` pins the function's id.
/// - `plain` keeps a returned `Result` as a value: `Call<Result<T, E>>`.
///
/// A function's id is the hash of module path, trait and method: no order of definition matters. A trait may have type
/// parameters; they are no part of its ids. Whether a returned type is a `Result` is found by the type, so that every
/// alias is; only where it mentions a type parameter of the trait must it be spelled `Result`.
///
/// # On an implementation
///
/// ```
/// # use std::convert::Infallible;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use rpc_parallel::{Init, WorkerContext, worker};
///
/// #[worker]
/// pub trait Counter {
///     async fn add(&self, n: u64) -> u64;
/// }
///
/// pub struct Tally(AtomicU64);
///
/// impl Init for Tally {
///     type Arg = u64;
///     type Error = Infallible;
///
///     async fn init(start: u64, _cx: &WorkerContext) -> Result<Self, Infallible> {
///         Ok(Self(start.into()))
///     }
/// }
///
/// #[worker]
/// impl Counter for Tally {
///     async fn add(&self, n: u64) -> u64 {
///         self.0.fetch_add(n, Ordering::Relaxed) + n
///     }
/// }
/// ```
///
/// The implementation is plain Rust. It is registered, so that `Tally` can be spawned: for that `Tally` implements
/// `Init`, or `ConnectionState`. An implementation without the attribute works as well, for example as a mock; it
/// cannot be spawned.
///
/// - `client = path` is the client, if not the trait's path with `Client` at its end.
/// - `crate = path` as above.
/// - `for(Wrap<u64> as Counter, ..)` lists the instances of a generic implementation.
///
/// <details>
/// <summary>The expansion</summary>
///
/// ```text
/// pub trait Counter: Send + Sync + 'static {
///     fn add(&self, n: u64) -> impl Future<Output = u64> + Send;
///
///     // The name is what an implementation of a trait without the attribute is told.
///     #[doc(hidden)]
///     fn __rpc_parallel_worker_attribute_is_on_the_trait_too() -> &'static [Handler<Self>] where Self: Sized {
///         fn __rpc_parallel_handler_add<Worker: Counter>(state: &Arc<Worker>) -> Place {
///             Place::new(state, |state, incoming| {
///                 let n = argument::<u64>().take_only(incoming, "n")?;
///                 let mut handling = incoming.handling(state);
///                 Some(async move {
///                     let output = <Worker as Counter>::add(handling.state(), n).await;
///                     handling.reply(Ok(output), plain::<u64>());
///                     handling.into_state()
///                 })
///             })
///         }
///         const { &[Handler::Future(__rpc_parallel_handler_add::<Self>)] }
///     }
/// }
///
/// impl CounterClient {
///     #[doc(hidden)]
///     const __rpc_parallel_functions: &'static [Function] = {
///         static FUNCTIONS: [Function; 1] = [Function::new(..)];
///         &FUNCTIONS
///     };
/// }
///
/// pub struct CounterClient { .. }
///
/// impl CounterClient {
///     pub fn add(&self, n: u64) -> Call<u64> {
///         let function = Function::at(Self::__rpc_parallel_functions, 0);
///         let arguments = Arguments::with(&self.core, function, "n", &n, argument::<u64>().encode);
///         arguments.call(plain::<u64>())
///     }
/// }
///
/// impl Client for CounterClient { .. }
/// impl Clone for CounterClient { .. }
/// impl Debug for CounterClient { .. }
///
/// // Of the implementation:
/// impl Serves<CounterClient> for Tally { .. }
/// impl Registered<CounterClient> for <Tally as ConnectionState>::Worker {}
/// inventory::submit! { Registration::of::<<Tally as ConnectionState>::Worker, Tally, CounterClient>(file!(), line!()) }
/// ```
///
/// Each type is asked for its codec (`argument::<u64>()`, `plain::<u64>()`) by the same function in the client and in
/// the handler, with the type's span: a type that cannot travel is one error, at the type.
/// </details>
#[proc_macro_attribute]
pub fn worker(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_worker(args.into(), item.into()).into()
}

/// The entry of a program that spawns workers.
///
/// ```
/// # use std::{convert::Infallible, sync::atomic::{AtomicU64, Ordering}};
/// use rpc_parallel::Spawn;
/// # use rpc_parallel::{Init, WorkerContext, worker};
/// #
/// # #[worker]
/// # pub trait Counter {
/// #     async fn add(&self, n: u64) -> u64;
/// # }
/// #
/// # pub struct Tally(AtomicU64);
/// #
/// # impl Init for Tally {
/// #     type Arg = u64;
/// #     type Error = Infallible;
/// #
/// #     async fn init(start: u64, _cx: &WorkerContext) -> Result<Self, Infallible> {
/// #         Ok(Self(start.into()))
/// #     }
/// # }
/// #
/// # #[worker]
/// # impl Counter for Tally {
/// #     async fn add(&self, n: u64) -> u64 {
/// #         self.0.fetch_add(n, Ordering::Relaxed) + n
/// #     }
/// # }
///
/// #[rpc_parallel::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let worker = Tally::spawn(10).await?;
///     let counter = worker.connect().await?;
///     assert_eq!(counter.add(5).await?, 15);
///     worker.shutdown().await;
///     Ok(())
/// }
/// ```
///
/// Where the hook before `main` cannot make a worker of a spawned process, this does, before anything else of the
/// program runs. Then it starts a tokio runtime for an `async fn main`; a plain `fn main` gets none. The result may be
/// anything that `main` may return.
///
/// - `flavor = "multi_thread"`, the default, or `flavor = "current_thread"`.
/// - `worker_threads = N` for the first of the two.
/// - `crate = path` is where the library is, if not at `::rpc_parallel`.
///
/// <details>
/// <summary>The expansion</summary>
///
/// ```text
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     async fn __rpc_parallel_main() -> Result<(), Box<dyn std::error::Error>> { .. }
///     enter();
///     runtime(Flavor::MultiThread(None)).block_on(__rpc_parallel_main())
/// }
/// ```
/// </details>
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_main(args.into(), item.into()).into()
}

fn expand_worker(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut errors = Errors::default();
    let mut tokens = match parse::worker(args, item.clone(), &mut errors) {
        Input::Trait(input) => expand::worker_trait(&input),
        Input::Impl(input) => expand::worker_impl(&input),
        Input::Other => item,
    };
    tokens.extend(errors.into_tokens());
    tokens
}

fn expand_main(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut errors = Errors::default();
    let mut tokens = match parse::main_fn(args, item.clone(), &mut errors) {
        Some(input) => expand::main_fn(&input),
        None => item,
    };
    tokens.extend(errors.into_tokens());
    tokens
}
