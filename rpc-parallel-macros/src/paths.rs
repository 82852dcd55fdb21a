//! The names that expansions use.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Path, ext::IdentExt};

/// `::rpc_parallel::__private`, or the same under the path of `crate = ..`.
pub(crate) fn private(krate: Option<&Path>) -> TokenStream {
    match krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::rpc_parallel::__private),
    }
}

/// A local variable of the expansion, which no name of the user's can meet.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// `Foo` to `FooClient`.
pub(crate) fn client_ident(name: &Ident) -> Ident {
    format_ident!("{}Client", name.unraw(), span = name.span())
}

/// The constant of the client that describes a method.
pub(crate) fn function_const(method: &Ident) -> Ident {
    format_ident!("__rpc_parallel_function_{}", method.unraw(), span = Span::mixed_site())
}

/// The constant of the client that lists them all.
pub(crate) fn functions_const() -> Ident {
    local("__rpc_parallel_functions")
}

/// The hidden provided method of the trait that gives the handlers. In the implementation of a trait without the
/// attribute it cannot be found, and so its name must say why.
pub(crate) fn handlers() -> Ident {
    format_ident!("__rpc_parallel_worker_attribute_is_on_the_trait_too")
}
