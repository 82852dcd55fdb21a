//! The future that a client's method returns.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::time::Sleep;

use crate::{
    client::CallError,
    connection::{CallContext, CallFailure, RawCall, RawReply},
};

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
    inner: Result<RawCall, Option<Box<CallError<E>>>>,
    decode: fn(RawReply) -> Result<T, CallError<E>>,
    one_way: Option<fn() -> T>,
    limit: Option<Box<Limit>>,
}

/// How long a call may take.
struct Limit {
    deadline: Duration,
    /// There once the call is sent.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<T, E> Call<T, E> {
    #[inline]
    pub(crate) fn new(inner: Result<RawCall, CallError<E>>, decode: fn(RawReply) -> Result<T, CallError<E>>) -> Self {
        let call = Self { inner: inner.map_err(|error| Some(Box::new(error))), decode, one_way: None, limit: None };
        if CallContext::is_there() { call.inherit() } else { call }
    }

    /// A message without a reply: it is over as soon as it is sent.
    pub(crate) fn one_way(inner: Result<RawCall, CallError<E>>, sent: fn() -> T) -> Self {
        Self {
            inner: inner.map_err(|error| Some(Box::new(error))),
            decode: |_| Err(CallError::Mismatch("a one-way message has no reply".into())),
            one_way: Some(sent),
            limit: None,
        }
    }

    /// Takes over what the handler that makes this call was given.
    #[cold]
    fn inherit(mut self) -> Self {
        let Some(context) = CallContext::current() else { return self };
        if let (Some(trace), Ok(call)) = (context.trace(), &mut self.inner) {
            call.set_trace(trace);
        }
        match context.deadline() {
            // Nobody waits longer than the caller of the handler that makes this call.
            Some(inherited) => self.deadline(inherited.saturating_duration_since(Instant::now())),
            None => self,
        }
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
        let deadline = self.limit.as_ref().map_or(deadline, |inherited| inherited.deadline.min(deadline));
        self.limit = Some(Box::new(Limit { deadline, timer: None }));
        if let Ok(call) = &mut self.inner {
            call.set_deadline(deadline);
        }
        self
    }

    /// Sends the call now rather than at the first poll, so that several calls are under way before the first is
    /// awaited.
    pub fn start(mut self) -> Self {
        if let Ok(call) = &mut self.inner {
            match call.poll_send(None) {
                Poll::Ready(Err(failure)) => self.inner = Err(Some(Box::new(CallError::from_failure(failure)))),
                Poll::Ready(Ok(())) => self.start_timer(),
                // The worker has more calls than it takes at once: it is sent when it is polled.
                Poll::Pending => {}
            }
        }
        self
    }

    fn start_timer(&mut self) {
        if let (Some(limit), Ok(call)) = (&mut self.limit, &self.inner)
            && limit.timer.is_none()
        {
            limit.timer = Some(Box::pin(call.sleep(limit.deadline)));
        }
    }

    #[inline]
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, CallError<E>>> {
        let call = match &mut self.inner {
            Ok(call) => call,
            Err(error) => {
                let gone = || CallError::Cancelled("the call was polled again after its end".into());
                return Poll::Ready(Err(error.take().map_or_else(gone, |error| *error)));
            }
        };
        if let Some(sent) = self.one_way {
            return match ready!(call.poll_send(Some(cx))) {
                Ok(()) => Poll::Ready(Ok(sent())),
                Err(failure) => Poll::Ready(Err(CallError::from_failure(failure))),
            };
        }
        match ready!(call.poll_reply(cx)) {
            Ok(reply) => Poll::Ready((self.decode)(reply)),
            Err(failure) => Poll::Ready(Err(CallError::from_failure(failure))),
        }
    }
}

impl<T, E> Future for Call<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // A chain of replies that are there already must let the runtime's other tasks have their turn.
        let coop = ready!(tokio::task::coop::poll_proceed(cx));
        if let Poll::Ready(result) = this.poll_inner(cx) {
            coop.made_progress();
            this.inner = Err(None);
            // The worker's word has no figure.
            if let (Err(CallError::DeadlineExceeded(_)), Some(limit)) = (&result, &this.limit) {
                return Poll::Ready(Err(CallError::DeadlineExceeded(limit.deadline)));
            }
            return Poll::Ready(result);
        }
        if this.limit.is_some() {
            this.start_timer();
            if let Some(limit) = &mut this.limit
                && limit.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
            {
                this.inner = Err(None);
                return Poll::Ready(Err(CallError::DeadlineExceeded(limit.deadline)));
            }
        }
        Poll::Pending
    }
}

// Nothing in it is pinned but the timer, which has its own box.
impl<T, E> Unpin for Call<T, E> {}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("deadline", &self.limit.as_ref().map(|limit| limit.deadline))
            .finish_non_exhaustive()
    }
}

impl<E> From<CallFailure> for CallError<E> {
    fn from(failure: CallFailure) -> Self {
        Self::from_failure(failure)
    }
}
