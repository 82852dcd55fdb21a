//! The type and the shape of a reply. All that asks a type for its codec has the type's span.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use crate::model::Reply;

/// `Call<..>`, what the client's method returns.
pub(super) fn call(reply: &Reply, private: &TokenStream) -> TokenStream {
    let arguments = match reply {
        Reply::Plain(value) => quote!(#value),
        Reply::Fallible(value, error) => quote!(#value, #error),
        Reply::Projected(ty) => {
            let (value, error) = projected(ty, private);
            quote!(#value, #error)
        }
        Reply::Probed(ty) => {
            let flatten = flatten(ty, private);
            quote!(<#ty as #flatten>::Value, <#ty as #flatten>::Error)
        }
        Reply::Streamed(item, None) => quote!(#private::Streaming<#item>),
        Reply::Streamed(item, Some(error)) => {
            let error = error_type(error, private);
            quote!(#private::Streaming<#item>, #error)
        }
        Reply::State(value, item, None) => quote!((#value, #private::Streaming<#item>)),
        Reply::State(value, item, Some(error)) => {
            let error = error_type(error, private);
            quote!((#value, #private::Streaming<#item>), #error)
        }
    };
    quote!(#private::Call<#arguments>)
}

/// The shape.
pub(super) fn shape(reply: &Reply, private: &TokenStream) -> TokenStream {
    match reply {
        Reply::Plain(value) => quote_spanned!(value.span()=> #private::plain::<#value>()),
        Reply::Fallible(value, error) => quote_spanned!(value.span()=> #private::fallible::<#value, #error>()),
        Reply::Projected(ty) => {
            let (value, error) = projected(ty, private);
            quote_spanned!(ty.span()=> #private::fallible::<#value, #error>())
        }
        Reply::Probed(ty) => {
            let probe = probe(ty, private);
            quote_spanned!(ty.span()=> #private::flat::<#ty, #probe>())
        }
        Reply::Streamed(item, None) => quote_spanned!(item.span()=> #private::streamed::<#item>()),
        Reply::Streamed(item, Some(error)) => {
            let error = error_type(error, private);
            quote_spanned!(item.span()=> #private::fallible_streamed::<#item, #error>())
        }
        Reply::State(value, item, None) => quote_spanned!(value.span()=> #private::state::<#value, #item>()),
        Reply::State(value, item, Some(error)) => {
            let error = error_type(error, private);
            quote_spanned!(value.span()=> #private::fallible_state::<#value, #item, #error>())
        }
    }
}

/// What the method returned, as a `Result`.
pub(super) fn result(reply: &Reply, output: TokenStream, private: &TokenStream) -> TokenStream {
    match reply {
        Reply::Plain(_) | Reply::Streamed(_, None) | Reply::State(_, _, None) => quote!(#private::Ok(#output)),
        Reply::Probed(ty) => {
            let flatten = flatten(ty, private);
            quote!(<#ty as #flatten>::split(#output))
        }
        Reply::Fallible(..) | Reply::Projected(_) | Reply::Streamed(..) | Reply::State(..) => output,
    }
}

/// `<ty as ResultType>::Value` and `::Error`. An error in it is about all of `ty`: from its first to its last token.
fn projected(ty: &Type, private: &TokenStream) -> (TokenStream, TokenStream) {
    let last = ty.to_token_stream().into_iter().last().map_or_else(|| ty.span(), |token| token.span());
    let open = quote_spanned!(ty.span()=> <);
    let projection = |name: &str| {
        let name = Ident::new(name, last);
        quote!(#open #ty as #private::ResultType>::#name)
    };
    (projection("Value"), projection("Error"))
}

/// The error of a reply with a stream. A path that ends in `Result` is an alias, of which it is the error.
fn error_type(error: &Type, private: &TokenStream) -> TokenStream {
    match error {
        Type::Path(path) if crate::types::last_is(path, "Result") => projected(error, private).1,
        _ => quote!(#error),
    }
}

fn flatten(ty: &Type, private: &TokenStream) -> TokenStream {
    let probe = probe(ty, private);
    quote!(#private::Flatten<#probe>)
}

fn probe(ty: &Type, private: &TokenStream) -> TokenStream {
    quote!({
        #[allow(unused_imports)]
        use #private::Otherwise as _;
        #private::Probe::<#ty>::IS_RESULT
    })
}
