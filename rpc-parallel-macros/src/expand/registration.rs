//! An implementation, and its registration at link time.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{ImplItem, spanned::Spanned};

use super::{cfgs, quiet, trait_def::sendable_arguments};
use crate::{
    model::{Registration, WorkerImpl},
    paths,
};

/// The implementation as written, apart from the bounds of its streams; then its registrations.
pub(crate) fn worker_impl(input: &WorkerImpl) -> TokenStream {
    let private = paths::private(input.args.krate.as_ref());
    let mut item = input.item.clone();
    for inner in &mut item.items {
        if let ImplItem::Fn(inner) = inner {
            sendable_arguments(&mut inner.sig, &private);
        }
    }
    let cfgs = cfgs(&item.attrs);
    let registrations = input.registrations.iter().map(|one| {
        let registration = registration(one, &private);
        quote!(#(#cfgs)* #registration)
    });
    quote! {
        #item
        #(#registrations)*
    }
}

fn registration(Registration { ty, interface, client }: &Registration, private: &TokenStream) -> TokenStream {
    let (quiet, handlers) = (quiet(), paths::handlers());
    // With one span throughout, what a type without a worker is told twice is the same, and is printed once.
    let alias = Ident::new(&paths::local("Client").to_string(), ty.span());
    let private = paths::at(ty.span(), private.clone());
    let serves = quote_spanned!(ty.span()=> #private::Serves<#alias>);
    let worker = quote_spanned!(ty.span()=> <#ty as #private::ConnectionState>::Worker);
    let of = quote_spanned!(ty.span()=> #private::Registration::of::<#worker, #ty, #alias>);
    let registered = quote_spanned!(ty.span()=> impl #private::Registered<#alias> for #worker {});
    // A client that cannot be found is one error.
    let client = quote!(#[allow(non_camel_case_types)] type #alias = #client;);
    let place = paths::place(&private, &["file", "line"], ty.span());
    quote! {
        #quiet
        const _: () = {
            #client

            #[automatically_derived]
            impl #serves for #ty {
                fn handlers() -> &'static [#private::Handler<Self>] {
                    <Self as #interface>::#handlers()
                }
            }

            #[automatically_derived]
            #registered

            #private::inventory::submit! { #of(#place) }
        };
    }
}
