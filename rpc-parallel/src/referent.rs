//! What a borrowed argument `&T` is held in at the worker.

use std::{
    ffi::{CStr, CString},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::value::WireArgument;

/// What holds a `T` that is lent. `ToOwned` would ask for `T: Clone`.
pub trait Referent {
    /// What the worker decodes.
    type Held;
}

/// A `T` that may be passed as `&T`: decoded as what holds it, then lent.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be an argument of a worker method",
    label = "cannot travel to another process",
    note = "an argument must be `serde::Serialize` and `serde::Deserialize`: `#[derive(Serialize, Deserialize)]`"
)]
pub trait WireReferent<'de>: Referent<Held: Deserialize<'de> + Send> + Serialize {
    /// What the method is given.
    fn held(held: &Self::Held) -> &Self;
}

impl<T> Referent for T {
    type Held = T;
}

impl<T> Referent for [T] {
    type Held = Vec<T>;
}

impl Referent for str {
    type Held = String;
}

impl Referent for Path {
    type Held = PathBuf;
}

impl Referent for CStr {
    type Held = CString;
}

#[diagnostic::do_not_recommend]
impl<'de, T: WireArgument<'de>> WireReferent<'de> for T {
    fn held(held: &T) -> &T {
        held
    }
}

#[diagnostic::do_not_recommend]
impl<'de, T: WireArgument<'de>> WireReferent<'de> for [T] {
    fn held(held: &Vec<T>) -> &Self {
        held
    }
}

#[diagnostic::do_not_recommend]
impl WireReferent<'_> for str {
    fn held(held: &String) -> &Self {
        held
    }
}

#[diagnostic::do_not_recommend]
impl WireReferent<'_> for Path {
    fn held(held: &PathBuf) -> &Self {
        held
    }
}

#[diagnostic::do_not_recommend]
impl WireReferent<'_> for CStr {
    fn held(held: &CString) -> &Self {
        held
    }
}
