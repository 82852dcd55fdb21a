//! The names that expansions use.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{Path, ext::IdentExt};

/// `::rpc_parallel::__private`, or the same under the path of `crate = ..`.
pub(crate) fn private(krate: Option<&Path>) -> TokenStream {
    match krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::rpc_parallel::__private),
    }
}

/// `line!()` and its like, of the place at `span`: all their tokens must be there.
pub(crate) fn place(private: &TokenStream, macros: &[&str], span: Span) -> TokenStream {
    let calls = macros.iter().map(|name| {
        let name = Ident::new(name, span);
        at(span, quote!(#private::#name!()))
    });
    quote!(#(#calls),*)
}

/// The same tokens, all at `span`.
pub(crate) fn at(span: Span, tokens: TokenStream) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(at).collect()
}

/// A local variable of the expansion, which no name of the user's can meet: its variables by hygiene; its constants
/// and unit structs, which a pattern would mean, by the prefix.
pub(crate) fn local(name: &str) -> Ident {
    format_ident!("__rpc_parallel_{name}", span = Span::mixed_site())
}

/// `Foo` to `FooClient`.
pub(crate) fn client_ident(name: &Ident) -> Ident {
    format_ident!("{}Client", name.unraw(), span = name.span())
}

/// The function that takes a call of a method over.
pub(crate) fn handler_fn(method: &Ident) -> Ident {
    local(&format!("handler_{}", method.unraw()))
}

/// The type parameter of such a function for what implements the trait.
pub(crate) fn worker_type() -> Ident {
    local("worker")
}

/// The constant of the client that describes its methods.
pub(crate) fn functions_const() -> Ident {
    local("functions")
}

/// The hidden provided method of the trait that gives the handlers. In the implementation of a trait without the
/// attribute it cannot be found, and so its name must say why.
pub(crate) fn handlers() -> Ident {
    format_ident!("__rpc_parallel_worker_attribute_is_on_the_trait_too")
}
