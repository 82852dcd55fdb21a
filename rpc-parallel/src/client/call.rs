//! The future that a client's method returns.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    mem::ManuallyDrop,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use crate::{client::CallError, connection::RawCall, shape::Decoder};

/// A call: its arguments are encoded already, and it is sent when it is first polled.
///
/// It borrows nothing, so it can be handed to `tokio::spawn` whatever the method's arguments were. It yields
/// `Result<T, CallError<E>>`; there is no other deadline, retry or queue behind it than what is said here.
///
/// ```no_run
/// # use std::time::Duration;
/// # use rpc_parallel::{CallError, worker};
/// # #[worker]
/// # trait Search {
/// #     async fn find(&self, text: &str) -> Option<u64>;
/// # }
/// # async fn example(client: SearchClient) -> Result<(), CallError> {
/// // One after the other.
/// let first = client.find("a").await?;
/// // Both at once, the second for at most a second.
/// let (left, right) = (client.find("b").start(), client.find("c").deadline(Duration::from_secs(1)).start());
/// let both = (left.await?, right.await?);
/// # drop((first, both)); Ok(()) }
/// ```
///
/// # Cancel safety
///
/// Dropping it cancels the call: the worker drops the handler, and with it the calls that the handler has made.
#[must_use = "a call is not sent before it is awaited or started with `.start()`"]
pub struct Call<T, E = Infallible> {
    call: Raw,
    decode: Decoder<T, E>,
}

/// The call without its types: all that is done for it is the same code for all. There until it is dropped, and nothing is
/// left to be dropped then.
struct Raw(ManuallyDrop<Option<Box<RawCall>>>);

impl<T, E> Call<T, E> {
    #[inline]
    pub(crate) fn new(call: Box<RawCall>, decode: Decoder<T, E>) -> Self {
        Self { call: Raw(ManuallyDrop::new(Some(call))), decode }
    }

    /// Gives the call up if it takes longer than this, counted from when it is sent. The worker is told and drops
    /// the handler in time by its own clock. Without it a call has no deadline, except that one made by a handler
    /// has what is left of that handler's own, which this can only shorten.
    ///
    /// It is about the reply alone: a stream that comes with the reply has no deadline.
    ///
    /// # Panics
    ///
    /// A call with a deadline panics when it is polled or started outside of a tokio runtime with time enabled.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        if let Some(call) = &mut *self.call.0 {
            call.set_deadline(deadline);
        }
        self
    }

    /// Sends the call now rather than at the first poll, so that several calls are under way before the first is
    /// awaited.
    #[inline]
    pub fn start(mut self) -> Self {
        if let Some(call) = &mut *self.call.0 {
            call.start();
        }
        self
    }
}

impl<T, E> Future for Call<T, E> {
    type Output = Result<T, CallError<E>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call: Raw(call), decode } = &mut *self;
        decode(call, cx)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call.retire();
        }
    }
}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("deadline", &self.call.0.as_ref().and_then(|call| call.deadline()))
            .finish_non_exhaustive()
    }
}
