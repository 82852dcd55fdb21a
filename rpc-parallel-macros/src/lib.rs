//! The macros.
use proc_macro::TokenStream;
/// w
#[proc_macro_attribute]
pub fn worker(_a: TokenStream, i: TokenStream) -> TokenStream { i }
/// m
#[proc_macro_attribute]
pub fn main(_a: TokenStream, i: TokenStream) -> TokenStream { i }
