//! From the model to what the compiler sees.

mod client;
mod functions;
mod handlers;
mod main_fn;
mod registration;
mod shape;
mod trait_def;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, GenericParam, Generics, WhereClause, parse_quote};

pub(crate) use main_fn::main_fn;
pub(crate) use registration::worker_impl;

use crate::{
    model::{Method, WorkerTrait},
    paths,
};

/// A trait, its client, and the handlers between them.
pub(crate) fn worker_trait(input: &WorkerTrait) -> TokenStream {
    let context = Context::new(input);
    let interface = trait_def::trait_def(&context);
    let functions = functions::functions(&context);
    let client = client::client(&context);
    quote!(#interface #functions #client)
}

/// What all parts of a trait's expansion need.
struct Context<'a> {
    input: &'a WorkerTrait,
    /// `::rpc_parallel::__private`
    private: TokenStream,
    /// The client's name.
    client: syn::Ident,
    /// `#[cfg]`s of the trait.
    cfgs: Vec<&'a Attribute>,
    /// The client's parameters: the trait's, but for lifetimes, which are a mistake.
    generics: Generics,
    /// The trait's where clause, and that its type parameters can travel.
    wire: WhereClause,
}

impl<'a> Context<'a> {
    fn new(input: &'a WorkerTrait) -> Self {
        let private = paths::private(input.args.krate.as_ref());
        let client = match input.args.client.as_ref().and_then(syn::Path::get_ident) {
            Some(name) => name.clone(),
            None => paths::client_ident(&input.item.ident),
        };
        let mut generics = input.item.generics.clone();
        generics.params =
            generics.params.into_iter().filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_))).collect();
        let wire = bounded(&generics, &quote!(#private::WireParameter));
        Self { input, private, client, cfgs: cfgs(&input.item.attrs), generics, wire }
    }

    /// The functions, each with its `#[cfg]`s.
    fn methods(&self) -> impl Iterator<Item = (&'a Method, Vec<&'a Attribute>)> {
        self.input.methods.iter().map(|method| (method, cfgs(&method.attributes)))
    }
}

/// The where clause, and a bound of each type parameter.
fn bounded(generics: &Generics, bound: &TokenStream) -> WhereClause {
    let mut clause = generics.where_clause.clone().unwrap_or_else(|| parse_quote!(where));
    for parameter in generics.type_params() {
        let name = &parameter.ident;
        clause.predicates.push(parse_quote!(#name: #bound));
    }
    clause
}

/// The attributes that decide whether an item is there.
fn cfgs(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

/// The attributes that a client or its method has in common with the trait or its method.
fn copied(attributes: &[Attribute]) -> Vec<&Attribute> {
    const COPIED: &[&str] = &["allow", "cfg", "cfg_attr", "deprecated", "doc", "expect", "must_use"];
    attributes.iter().filter(|attribute| COPIED.iter().any(|name| attribute.path().is_ident(name))).collect()
}

fn has_docs(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("doc"))
}

/// Lints that say nothing of generated code.
fn quiet() -> TokenStream {
    quote! {
        #[allow(
            clippy::all,
            clippy::nursery,
            clippy::pedantic,
            dead_code,
            deprecated,
            non_upper_case_globals,
            private_interfaces,
            unnameable_types,
            unreachable_pub,
            unused_qualifications
        )]
    }
}
