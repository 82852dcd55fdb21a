//! The expansion of a small trait and of its implementation, as `expansion.txt` beside this file has it.
//!
//! `UPDATE_EXPANSION=1 cargo test -p rpc-parallel-macros` writes the file anew.

use std::fmt::Write;

use proc_macro2::TokenStream;
use quote::quote;

use crate::{expand_main, expand_worker};

#[test]
fn the_expansion_is_as_written_down() {
    let mut text = String::new();
    show(&mut text, "the trait", expand_worker(quote!(), interface()));
    show(&mut text, "the implementation", expand_worker(quote!(), implementation()));
    show(
        &mut text,
        "main",
        expand_main(
            quote!(worker_threads = 2),
            quote!(
                async fn main() -> Result<(), Fault> {
                    run().await
                }
            ),
        ),
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/expansion.txt");
    if std::env::var_os("UPDATE_EXPANSION").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(text == expected, "the expansion is now:\n{text}");
}

#[test]
fn a_trait_with_mistakes_still_expands() {
    let tokens = expand_worker(
        quote!(unknown),
        quote! {
            pub trait Counter {
                async fn wrong<T>(&mut self, n: T) -> &str;
                async fn right(&self) -> u64;
            }
        },
    );
    let text = tokens.to_string();
    assert_eq!(text.matches("compile_error").count(), 4);
    for part in ["trait Counter", "struct CounterClient", "fn wrong < T >", "__rpc_parallel_functions"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn interface() -> TokenStream {
    quote! {
        /// Counts.
        pub trait Counter {
            /// Adds.
            async fn add(&self, n: u64, book: &Book) -> u64;
            #[cfg(feature = "notes")]
            #[rpc(one_way, name = "counter.note")]
            fn note(&self, text: Vec<u8>);
            async fn get(&self, key: u64) -> u64;
            async fn found(&self, text: &str) -> Found;
            async fn echo(&self, values: impl Stream<Item = u64>) -> Result<impl Stream<Item = u64>, Missing>;
        }
    }
}

fn implementation() -> TokenStream {
    quote! {
        impl Counter for Tally {
            async fn add(&self, n: u64, book: &Book) -> u64 {
                n
            }
        }
    }
}

fn show(text: &mut String, title: &str, tokens: TokenStream) {
    let file = syn::parse2(tokens).unwrap();
    writeln!(text, "// ---- {title} ----\n\n{}", prettyplease::unparse(&file)).unwrap();
}
