//! The descriptors of a trait's functions: a hidden constant of the client.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, ext::IdentExt};

use super::{Context, quiet};
use crate::{model::Method, paths};

/// The constant. The descriptors are there once, whoever names them and whatever the parameters are. It has no bounds, so that all
/// parts of the client can name it.
pub(super) fn functions(context: &Context<'_>) -> TokenStream {
    let Context { private, client, cfgs, .. } = context;
    let quiet = quiet();
    let mut generics = context.generics.clone();
    generics.where_clause = None;
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let where_clause = &context.generics.where_clause;
    let functions = context.methods().map(|(method, cfgs)| {
        let function = function(context, method);
        quote!(#(#cfgs)* #function)
    });
    let (all, mut len) = (paths::functions_const(), Count::default());
    context.methods().for_each(|(_, cfgs)| len.add(cfgs));
    quote! {
        #(#cfgs)*
        #quiet
        #[doc(hidden)]
        impl #impl_generics #client #ty_generics #where_clause {
            #[doc(hidden)]
            const #all: &'static [#private::Function] = {
                static #all: [#private::Function; #len] = [#(#functions),*];
                &#all
            };
        }
    }
}

/// The descriptor of each method.
pub(super) fn descriptors(context: &Context<'_>) -> impl Iterator<Item = TokenStream> {
    let (private, all) = (&context.private, paths::functions_const());
    let mut before = Count::default();
    context.methods().map(move |(_, cfgs)| {
        // By a function of the library: the user's code may forbid to index.
        let descriptor = quote!(#private::Function::at(Self::#all, #before));
        before.add(cfgs);
        descriptor
    })
}

/// How many methods there are, where some may not be.
#[derive(Default)]
struct Count<'a> {
    always: usize,
    maybe: Vec<Vec<&'a Attribute>>,
}

impl<'a> Count<'a> {
    fn add(&mut self, cfgs: Vec<&'a Attribute>) {
        if cfgs.is_empty() { self.always += 1 } else { self.maybe.push(cfgs) }
    }
}

impl ToTokens for Count<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (always, maybe) = (Literal::usize_unsuffixed(self.always), &self.maybe);
        tokens.extend(match maybe.is_empty() {
            true => quote!(#always),
            false => quote!(#always + <[()]>::len(&[#(#(#maybe)* ()),*])),
        });
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
    let line = paths::place(private, &["line"], method.name.span());
    quote! {
        #private::Function::new(#private::FunctionParts {
            path: [#private::module_path!(), #interface, #name],
            pinned: #pinned,
            name: #private::concat!(#private::module_path!(), "::", #interface, "::", #name),
            kind: #private::FunctionKind::#kind,
            uploads: #uploads,
            download: #download,
            signature: #signature,
            line: #line,
        })
    }
}

fn option(private: &TokenStream, value: Option<&syn::LitStr>) -> TokenStream {
    match value {
        Some(value) => quote!(#private::Some(#value)),
        None => quote!(#private::None),
    }
}
