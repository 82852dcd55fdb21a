//! Expansions where nothing that they use has its usual name: no prelude, a renamed crate, and types of the user's
//! called like those of the prelude.
#![deny(warnings)]

mod bare;
mod renamed;
mod shadowed;
