//! The descriptors of a trait's functions: hidden constants of the client.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use super::{Context, quiet};
use crate::{model::Method, paths};

/// The constants. A descriptor is there once, whoever names it and whatever the parameters are. They have no bounds, so that the handlers and all parts of the client can name them.
pub(super) fn functions(context: &Context<'_>) -> TokenStream {
    let Context { private, client, cfgs, .. } = context;
    let quiet = quiet();
    let mut generics = context.generics.clone();
    generics.where_clause = None;
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let where_clause = &context.generics.where_clause;
    let constants = context.methods().map(|(method, cfgs)| {
        let name = paths::function_const(&method.name);
        let function = function(context, method);
        quote! {
            #(#cfgs)*
            #[doc(hidden)]
            const #name: &'static #private::Function = {
                static #name: #private::Function = #function;
                &#name
            };
        }
    });
    let all = paths::functions_const();
    let elements = context.methods().map(|(method, cfgs)| {
        let name = paths::function_const(&method.name);
        quote!(#(#cfgs)* Self::#name)
    });
    quote! {
        #(#cfgs)*
        #quiet
        #[doc(hidden)]
        impl #impl_generics #client #ty_generics #where_clause {
            #(#constants)*

            #[doc(hidden)]
            const #all: &'static [&'static #private::Function] = &[#(#elements),*];
        }
    }
}

/// `Interface::new(..)`
pub(super) fn interface(context: &Context<'_>) -> TokenStream {
    let Context { private, .. } = context;
    let ident = &context.input.item.ident;
    let name = ident.unraw().to_string();
    let pinned = option(private, context.input.args.name.as_ref());
    let all = paths::functions_const();
    let place = paths::place(private, &["file", "line"], ident.span());
    quote! {
        #private::Interface::new(
            [#private::module_path!(), #name],
            #pinned,
            #private::concat!(#private::module_path!(), "::", #name),
            Self::#all,
            (#place),
        )
    }
}

fn function(context: &Context<'_>, method: &Method) -> TokenStream {
    let Context { private, .. } = context;
    let interface = context.input.item.ident.unraw().to_string();
    let name = method.name.unraw().to_string();
    let pinned = option(private, method.pinned.as_ref());
    let kind = format_ident!("{}", format!("{:?}", method.kind));
    let uploads = u8::try_from(method.uploads()).unwrap_or(u8::MAX);
    let (download, signature) = (method.has_download(), method.signature);
    let place = paths::place(private, &["line", "column"], method.name.span());
    quote! {
        #private::Function::new(#private::FunctionParts {
            path: [#private::module_path!(), #interface, #name],
            pinned: #pinned,
            name: #private::concat!(#private::module_path!(), "::", #interface, "::", #name),
            kind: #private::FunctionKind::#kind,
            uploads: #uploads,
            download: #download,
            signature: #signature,
            place: (#place),
        })
    }
}

fn option(private: &TokenStream, value: Option<&syn::LitStr>) -> TokenStream {
    match value {
        Some(value) => quote!(#private::Some(#value)),
        None => quote!(#private::None),
    }
}
