//! From syn's items to the model.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{FnArg, Item, ItemFn, ItemImpl, ItemTrait, Pat, Receiver, TraitItem, TraitItemFn, Type, spanned::Spanned};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    args::{MainArgs, MethodArgs, Place, WorkerArgs},
    check,
    model::{Argument, Flavor, Kind, MainFn, Method, Registration, Role, WorkerImpl, WorkerTrait},
    paths,
    report::Errors,
    types,
};

/// What `#[worker]` stands on.
pub(crate) enum Input {
    Trait(WorkerTrait),
    Impl(WorkerImpl),
    /// Something else.
    Other,
}

// `trait Foo { .. }` or `impl Foo for Bar { .. }`
pub(crate) fn worker(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Input {
    match syn::parse2::<Item>(item) {
        Ok(Item::Trait(item)) => {
            Input::Trait(worker_trait(WorkerArgs::parse(args, Place::Trait, errors), item, errors))
        }
        Ok(Item::Impl(item)) => Input::Impl(worker_impl(WorkerArgs::parse(args, Place::Impl, errors), item, errors)),
        Ok(other) => {
            let head = other.to_token_stream().into_iter().find(|token| matches!(token, TokenTree::Ident(_)));
            errors.error(head, "`#[worker]` goes on a trait and on `impl Trait for Type`");
            Input::Other
        }
        Err(error) => {
            errors.push(error);
            Input::Other
        }
    }
}

fn worker_trait(args: WorkerArgs, mut item: ItemTrait, errors: &mut Errors) -> WorkerTrait {
    check::interface(&item, errors);
    let parameters = WorkerTrait::type_parameters(&item.generics);
    let mut methods = Vec::new();
    let mut roles = Vec::new();
    for inner in &mut item.items {
        let mut role = Role::Local;
        if let TraitItem::Fn(inner) = inner {
            let before = errors.count();
            let method_args = MethodArgs::take(&mut inner.attrs, errors);
            if let Some(local) = &method_args.local {
                check::local(inner, &method_args, local, errors);
            } else {
                role = Role::Refused;
                check::method(inner, &method_args, errors);
                if errors.count() == before {
                    role = Role::Function;
                    methods.extend(method(inner, method_args, &parameters));
                }
            }
        }
        roles.push(role);
    }
    check::names(&methods, errors);
    WorkerTrait { args, item, methods, roles }
}

/// A method that passed the checks.
fn method(item: &TraitItemFn, args: MethodArgs, parameters: &[Ident]) -> Option<Method> {
    let signature = &item.sig;
    let Some(FnArg::Receiver(Receiver { self_token, .. })) = signature.inputs.first() else { return None };
    let is_async = signature.asyncness.is_some();
    let kind = match (args.one_way, args.inline, is_async) {
        (Some(_), ..) => Kind::OneWay,
        (None, _, true) => Kind::Call,
        (None, Some(_), false) => Kind::Inline,
        (None, None, false) => Kind::Blocking,
    };
    let arguments: Vec<_> = signature.inputs.iter().filter_map(argument).collect();
    let types: Vec<&Type> = arguments.iter().map(|argument| &argument.ty).collect();
    let output = &signature.output;
    Some(Method {
        attributes: item.attrs.clone(),
        name: signature.ident.clone(),
        receiver: self_token.span(),
        is_async,
        kind,
        signature: hash(kind, quote!((#(#types),*) #output)),
        arguments,
        reply: types::reply(output, args.plain.is_some(), parameters),
        pinned: args.name,
    })
}

fn argument(input: &FnArg) -> Option<Argument> {
    let FnArg::Typed(input) = input else { return None };
    let Pat::Ident(name) = &*input.pat else { return None };
    Some(Argument { name: name.ident.clone(), ty: (*input.ty).clone(), passing: types::passing(&input.ty) })
}

/// The hash of a signature: of its tokens, with one space between them, whatever the compiler prints.
fn hash(kind: Kind, tokens: TokenStream) -> u64 {
    let mut text = format!("{kind:?}");
    flat(tokens, &mut text);
    xxh3_64(text.as_bytes())
}

fn flat(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        text.push(' ');
        match token {
            TokenTree::Group(group) => {
                text.push_str(&format!("{:?}", group.delimiter()));
                flat(group.stream(), text);
                text.push_str(" end");
            }
            TokenTree::Ident(ident) => text.push_str(&ident.to_string()),
            TokenTree::Punct(punct) => text.push(punct.as_char()),
            TokenTree::Literal(literal) => text.push_str(&literal.to_string()),
        }
    }
}

fn worker_impl(args: WorkerArgs, item: ItemImpl, errors: &mut Errors) -> WorkerImpl {
    let before = errors.count();
    check::implementation(&item, &args, errors);
    let mut registrations = Vec::new();
    if errors.count() == before {
        for instance in args.instances.iter().flatten() {
            registrations.push((instance.ty.clone(), instance.interface.clone()));
        }
        if let (None, Some((_, interface, _))) = (&args.instances, &item.trait_) {
            registrations.push(((*item.self_ty).clone(), interface.clone()));
        }
    }
    let registrations = registrations.into_iter().map(|(ty, interface)| {
        let mut client = interface.clone();
        if let (Some(path), Some(last)) = (&args.client, interface.segments.last()) {
            client = path.clone();
            if let Some(segment) = client.segments.last_mut() {
                segment.arguments = last.arguments.clone();
            }
        } else if let Some(last) = client.segments.last_mut() {
            last.ident = paths::client_ident(&last.ident);
        }
        Registration { ty, interface, client }
    });
    WorkerImpl { registrations: registrations.collect(), args, item }
}

// `async fn main() -> R { .. }` or `fn main() -> R { .. }`
pub(crate) fn main_fn(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<MainFn> {
    let args = MainArgs::parse(args, errors);
    let item = match syn::parse2::<Item>(item) {
        Ok(Item::Fn(item)) => item,
        Ok(other) => {
            errors.error(other, "`#[rpc_parallel::main]` goes on `async fn main()` or `fn main()`");
            return None;
        }
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    check::main_fn(&item, &args, errors);
    let ItemFn { attrs, sig, block, .. } = item;
    let flavor = match args.flavor.as_ref().map(syn::LitStr::value).as_deref() {
        Some("current_thread") => Flavor::CurrentThread,
        _ => Flavor::MultiThread(args.worker_threads),
    };
    Some(MainFn { krate: args.krate, attributes: attrs, signature: sig, body: block.into_token_stream(), flavor })
}
