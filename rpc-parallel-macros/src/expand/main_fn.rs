//! `#[main]`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    model::{Flavor, MainFn},
    paths,
};

/// The program's entry: first the role of this process, then the runtime, then the user's body.
pub(crate) fn main_fn(input: &MainFn) -> TokenStream {
    let private = paths::private(input.krate.as_ref());
    let MainFn { attributes, signature, body, .. } = input;
    let (name, output) = (&signature.ident, &signature.output);
    let (inner, body) = if signature.asyncness.is_some() {
        let flavor = match &input.flavor {
            Flavor::CurrentThread => quote!(#private::Flavor::CurrentThread),
            Flavor::MultiThread(None) => quote!(#private::Flavor::MultiThread(#private::None)),
            Flavor::MultiThread(Some(threads)) => {
                quote!(#private::Flavor::MultiThread(#private::Some(#threads)))
            }
        };
        let inner = paths::local("main");
        (quote!(async fn #inner() #output #body), quote!(#private::block_on(#flavor, #inner())))
    } else {
        (quote!(), body.clone())
    };
    quote! {
        #(#attributes)*
        fn #name() #output {
            #inner
            #private::enter();
            #body
        }
    }
}
