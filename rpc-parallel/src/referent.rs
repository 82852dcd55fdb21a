//! What a borrowed argument `&T` is held in at the worker.

use std::{
    ffi::{CStr, CString},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::value::WireArgument;

/// A `T` that may be passed as `&T`: decoded as its `Held`, then lent.
///
/// `ToOwned` would ask for `T: Clone`.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be an argument of a worker method",
    label = "cannot travel to another process",
    note = "an argument must be `serde::Serialize` and `serde::Deserialize`: `#[derive(Serialize, Deserialize)]`"
)]
pub trait Referent<'de>: Serialize {
    /// What the worker decodes.
    type Held: Deserialize<'de> + Send;

    /// What the method is given.
    fn held(held: &Self::Held) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<'de, T: WireArgument<'de>> Referent<'de> for T {
    type Held = T;

    fn held(held: &T) -> &T {
        held
    }
}

#[diagnostic::do_not_recommend]
impl<'de, T: WireArgument<'de>> Referent<'de> for [T] {
    type Held = Vec<T>;

    fn held(held: &Vec<T>) -> &Self {
        held
    }
}

impl<'de> Referent<'de> for str {
    type Held = &'de str;

    fn held<'a>(held: &'a &'de str) -> &'a Self {
        held
    }
}

impl<'de> Referent<'de> for Path {
    type Held = PathBuf;

    fn held(held: &PathBuf) -> &Self {
        held
    }
}

impl<'de> Referent<'de> for CStr {
    type Held = CString;

    fn held(held: &CString) -> &Self {
        held
    }
}
