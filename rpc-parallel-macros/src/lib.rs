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

/// w
#[proc_macro_attribute]
pub fn worker(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_worker(args.into(), item.into()).into()
}

/// m
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
