//! From the type that a method returns to the two types of its call.
//!
//! `Result<T, E>` becomes `Call<T, E>`, all else `Call<T>`. Whether a type that is named otherwise is a `Result` is
//! found by its type, not its name: [`Probe::IS_RESULT`] is an inherent constant of `Probe<Result<T, E>>`, and where
//! that does not exist, the one of [`Otherwise`].

use std::{convert::Infallible, marker::PhantomData};

use crate::{
    shape::{Reply, fallible, plain},
    value::{WireError, WireValue},
};

/// Asks whether `T` is a `Result`: `{ use Otherwise as _; Probe::<T>::IS_RESULT }`.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T, E> Probe<Result<T, E>> {
    /// It is.
    pub const IS_RESULT: bool = true;
}

/// The answer of a [`Probe`] of anything but a `Result`.
pub trait Otherwise {
    /// It is not.
    const IS_RESULT: bool = false;
}

impl<T> Otherwise for Probe<T> {}

/// A returned type, with the answer of its [`Probe`].
pub trait Flatten<const IS_RESULT: bool>: Sized {
    /// What the call gives.
    type Value;
    /// What its method may fail with.
    type Error;

    /// The same, as a result.
    fn split(self) -> Result<Self::Value, Self::Error>;
}

impl<T> Flatten<false> for T {
    type Value = T;
    type Error = Infallible;

    fn split(self) -> Result<T, Infallible> {
        Ok(self)
    }
}

impl<T, E> Flatten<true> for Result<T, E> {
    type Value = T;
    type Error = E;

    fn split(self) -> Self {
        self
    }
}

/// A returned type that can travel.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a worker method",
    label = "cannot travel to another process",
    note = "it must be `serde::Serialize`, `serde::Deserialize`, `Send` and `'static`: `#[derive(Serialize, Deserialize)]`"
)]
pub trait Flat<const IS_RESULT: bool>: Flatten<IS_RESULT> {
    /// Its codec.
    const REPLY: Reply<Self::Value, Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: WireValue> Flat<false> for T {
    const REPLY: Reply<T, Infallible> = plain();
}

impl<T: WireValue, E: WireError> Flat<true> for Result<T, E> {
    const REPLY: Reply<T, E> = fallible();
}

/// A type that must be a `Result`, because it is named so.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is named like a `Result` and is none",
    note = "put `#[rpc(plain)]` on the method if it is a plain value"
)]
pub trait ResultType {
    /// Of `Ok`.
    type Value;
    /// Of `Err`.
    type Error;
}

impl<T, E> ResultType for Result<T, E> {
    type Value = T;
    type Error = E;
}
