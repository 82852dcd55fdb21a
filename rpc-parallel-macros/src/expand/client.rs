//! `FooClient`: the trait's functions, called on a worker.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Type, ext::IdentExt, spanned::Spanned};

use super::{Context, bounded, cfgs, copied, functions, has_docs, quiet, shape};
use crate::{
    model::{Argument, Kind, Method, Passing, Stub},
    paths,
};

/// The struct, its methods, and its implementations of traits.
pub(super) fn client(context: &Context<'_>) -> TokenStream {
    let Context { private, client, cfgs, generics, wire, input } = context;
    let item = &input.item;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    // That the parameters can travel is asked where the trait is called or served: once is enough.
    let owned = bounded(generics, &quote!('static));
    let (vis, quiet, attributes) = (&item.vis, quiet(), copied(&item.attrs));
    let name = item.ident.unraw().to_string();
    let summary = format!("Calls a worker that serves [`{name}`].");
    let gap = has_docs(&item.attrs).then(|| quote!(#[doc = ""]));
    let methods = input.methods.iter().zip(functions::descriptors(context));
    let methods = methods.map(|(method, descriptor)| self::method(context, method, &descriptor));
    let stubs = input.stubs.iter().map(|stub| self::stub(context, stub));
    let parameters = item.generics.type_params().map(|parameter| &parameter.ident);
    let parameters = quote!(fn() -> (#(#parameters,)*));
    let connect = match &input.args.connect {
        Some(ty) => quote!(#ty),
        None => quote!(()),
    };
    let interface = functions::interface(context);
    let [core, f] = ["core", "f"].map(paths::local);
    let debug_name = client.to_string();
    quote! {
        #[doc = #summary]
        #gap
        #(#attributes)*
        #quiet
        #vis struct #client #impl_generics #where_clause {
            core: #private::ClientCore,
            parameters: #private::PhantomData<#parameters>,
        }

        #(#cfgs)*
        #quiet
        impl #impl_generics #client #ty_generics #wire {
            #(#methods)*
            #(#stubs)*
        }

        #(#cfgs)*
        #quiet
        const _: () = {
            #[automatically_derived]
            impl #impl_generics #private::Client for #client #ty_generics #owned {
                type ConnectArg = #connect;

                const INTERFACE: &'static #private::Interface = &#interface;

                fn from_core(#core: #private::ClientCore) -> Self {
                    Self { core: #core, parameters: #private::PhantomData }
                }

                fn core(&self) -> &#private::ClientCore {
                    &self.core
                }
            }

            #[automatically_derived]
            impl #impl_generics #private::Clone for #client #ty_generics #where_clause {
                fn clone(&self) -> Self {
                    Self { core: #private::Clone::clone(&self.core), parameters: #private::PhantomData }
                }
            }

            #[automatically_derived]
            impl #impl_generics #private::fmt::Debug for #client #ty_generics #where_clause {
                fn fmt(&self, #f: &mut #private::fmt::Formatter<'_>) -> #private::fmt::Result {
                    #private::fmt::DebugTuple::field(&mut #f.debug_tuple(#debug_name), &self.core).finish()
                }
            }
        };
    }
}

/// A method; `function` is its descriptor.
fn method(context: &Context<'_>, method: &Method, function: &TokenStream) -> TokenStream {
    let Context { private, input, .. } = context;
    let (vis, name, attributes) = (&input.item.vis, &method.name, copied(&method.attributes));
    let docs = (!has_docs(&method.attributes)).then(|| {
        let text = format!("Calls [`{0}::{1}`]({0}::{1}) of the worker.", input.item.ident.unraw(), name.unraw());
        quote!(#[doc = #text])
    });
    let this = Ident::new("self", method.receiver);
    let arguments = paths::local("arguments");
    let parameters = method.arguments.iter().map(|argument| parameter(argument, private));
    let tail = method.tail();
    let first = method.arguments.first().and_then(|argument| by_codec(argument, private, tail == Some(0)));
    let new = match &first {
        Some(Coded { name, value, codec }) => {
            quote!(with(&#this.core, #function, #name, #value, #codec.encode))
        }
        None => quote!(new(&#this.core, #function)),
    };
    let puts = method.arguments.iter().enumerate().skip(first.iter().count());
    let puts = puts.map(|(index, argument)| put(argument, tail == Some(index), &arguments, private));
    let call = shape::call(&method.reply, private);
    let finish = match method.kind {
        Kind::OneWay => quote!(send()),
        _ => {
            let shape = shape::shape(&method.reply, private);
            quote!(call(#shape))
        }
    };
    quote! {
        #docs
        #(#attributes)*
        #vis fn #name(&#this, #(#parameters),*) -> #call {
            let #arguments = #private::Arguments::#new;
            #(let #arguments = #puts;)*
            #arguments.#finish
        }
    }
}

/// In place of a function with mistakes. It is never run, for the mistakes are errors.
fn stub(context: &Context<'_>, stub: &Stub) -> TokenStream {
    let Context { private, input, .. } = context;
    let Stub { attributes, name, generics, arguments, reply } = stub;
    let (vis, cfgs, where_clause) = (&input.item.vis, cfgs(attributes), &generics.where_clause);
    let call = shape::call(reply, private);
    let arguments = arguments.iter().map(|ty| match ty {
        Some(ty) => quote!(_: #ty),
        None => quote!(_: impl #private::Sized),
    });
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #vis fn #name #generics (&self, #(#arguments),*) -> #call #where_clause {
            loop {}
        }
    }
}

fn parameter(Argument { name, ty, passing }: &Argument, private: &TokenStream) -> TokenStream {
    match (ty, passing) {
        (Type::ImplTrait(stream), Passing::Upload(_)) => {
            let bounds = &stream.bounds;
            quote!(#name: impl #bounds + #private::Send + 'static)
        }
        _ => quote!(#name: #ty),
    }
}

/// Puts an argument; `tail` says whether it is the last one, and of a type that may be bytes.
fn put(argument: &Argument, tail: bool, arguments: &Ident, private: &TokenStream) -> TokenStream {
    if let Some(Coded { name, value, codec }) = by_codec(argument, private, tail) {
        return quote!(#arguments.put(#name, #value, #codec.encode));
    }
    let Argument { name, ty, passing } = argument;
    let text = name.unraw().to_string();
    match passing {
        Passing::Bytes if tail => quote!(#arguments.put_tail_bytes(#text, #name)),
        Passing::ByteVec if tail => quote!(#arguments.put_tail(#text, #name)),
        Passing::Bytes => quote!(#arguments.put_bytes(#text, #name)),
        Passing::ByteVec => quote!(#arguments.put_bytes(#text, &#name)),
        Passing::LentOption(inner) => {
            let codec = quote_spanned!(inner.span()=> #private::lent_option::<#inner>());
            quote!(#arguments.put_option(#text, #name, #codec))
        }
        Passing::Upload(item) => {
            let codec = quote_spanned!(item.span()=> #private::item::<#item>());
            quote!(#arguments.upload(#name, #codec.encode))
        }
        // Only a `NamedBytes` at the end comes here: `by_codec` has the others.
        Passing::Value | Passing::Lent(_) | Passing::NamedBytes => {
            let put = quote_spanned!(ty.span()=> #private::Tail::<#ty>::put);
            quote! {{
                use #private::OtherTail as _;
                #put(#arguments, #text, #name)
            }}
        }
    }
}

/// An argument that is written by what its codec has for that.
struct Coded {
    name: String,
    value: TokenStream,
    codec: TokenStream,
}

fn by_codec(Argument { name, ty, passing }: &Argument, private: &TokenStream, tail: bool) -> Option<Coded> {
    let (value, codec) = match passing {
        Passing::NamedBytes if tail => return None,
        Passing::Value | Passing::NamedBytes => {
            (quote!(&#name), quote_spanned!(ty.span()=> #private::argument::<#ty>()))
        }
        Passing::Lent(inner) => (quote!(#name), quote_spanned!(inner.span()=> #private::lent::<#inner>())),
        _ => return None,
    };
    Some(Coded { name: name.unraw().to_string(), value, codec })
}
