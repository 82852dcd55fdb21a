//! What each mistake is told, and what a small trait becomes.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{parse, report::Errors};

mod expansion;
mod mistakes;

/// The messages for an item under `#[worker(args)]`.
fn worker_messages(args: TokenStream, item: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    parse::worker(args, item, &mut errors);
    errors.messages()
}

/// The messages for a trait with one method.
fn method_messages(method: TokenStream) -> Vec<String> {
    worker_messages(quote!(), quote!(pub trait Foo { #method }))
}

/// The messages for a `main` under `#[main(args)]`.
fn main_messages(args: TokenStream, item: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    parse::main_fn(args, item, &mut errors);
    errors.messages()
}
