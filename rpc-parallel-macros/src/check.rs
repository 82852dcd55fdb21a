//! The rules for worker traits and their implementations, one function each.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{
    FnArg, Generics, ItemFn, ItemImpl, ItemTrait, Pat, Receiver, ReturnType, Signature, TraitItem, TraitItemFn, Type,
};

use crate::{
    args::{MainArgs, MethodArgs, WorkerArgs},
    check_types,
    model::{Method, Passing},
    report::Errors,
    types,
};

/// The trait apart from its methods.
pub(crate) fn interface(item: &ItemTrait, errors: &mut Errors) {
    if let Some(token) = &item.unsafety {
        errors.error(token, "a worker trait cannot be `unsafe`: leave `unsafe` out");
    }
    if let Some(token) = &item.auto_token {
        errors.error(token, "a worker trait cannot be an auto trait: leave `auto` out");
    }
    for lifetime in item.generics.lifetimes() {
        errors.error(
            lifetime,
            "a worker trait has no lifetimes, for its values come from another process: use type parameters or \
             owned types",
        );
    }
    for inner in &item.items {
        match inner {
            TraitItem::Fn(_) => {}
            TraitItem::Type(inner) => errors.at(
                inner.type_token.span,
                format!(
                    "a worker trait has only methods: make the type a parameter of the trait, `trait {}<{}>`",
                    item.ident, inner.ident
                ),
            ),
            TraitItem::Const(inner) => errors.at(
                inner.const_token.span,
                "a worker trait has only methods: write `#[rpc(local)] fn` with a body, or put the constant outside",
            ),
            other => errors.error(other, "a worker trait has only methods: move this out of the trait"),
        }
    }
}

/// One method that is a function.
pub(crate) fn method(item: &TraitItemFn, args: &MethodArgs, errors: &mut Errors) {
    let signature = &item.sig;
    qualifiers(signature, errors);
    generics(&signature.generics, errors);
    receiver(signature, errors);
    for input in &signature.inputs {
        if let FnArg::Typed(input) = input {
            argument_name(&input.pat, errors);
            for attribute in &input.attrs {
                errors
                    .error(attribute, "an argument of a worker method has no attributes: put `#[cfg]` on the method");
            }
            check_types::argument(&input.ty, errors);
        }
    }
    check_types::output(&signature.output, errors);
    reserved(&signature.ident, errors);
    kind(signature, args, errors);
}

/// `#[rpc(local)]`: no call.
pub(crate) fn local(item: &TraitItemFn, args: &MethodArgs, local: &Ident, errors: &mut Errors) {
    if item.default.is_none() {
        errors
            .error(&item.sig, "a local method is no call, so that every implementation inherits it: give it a body");
    }
    for other in [&args.inline, &args.one_way, &args.plain].into_iter().flatten() {
        errors.error(other, format!("a local method is no call: leave `{other}` or `{local}` out"));
    }
    if let Some(name) = &args.name {
        errors.error(name, "a local method is no call and has no id: leave `name` out");
    }
}

/// Pinned names must differ.
pub(crate) fn names(methods: &[Method], errors: &mut Errors) {
    for (index, method) in methods.iter().enumerate() {
        let Some(name) = &method.pinned else { continue };
        if name.value().is_empty() {
            errors.error(name, "the name is empty: write one that no other function of the program has");
        }
        let first = methods[..index]
            .iter()
            .find(|other| other.pinned.as_ref().is_some_and(|other| other.value() == name.value()));
        if let Some(first) = first {
            errors.error(
                name,
                format!("`{}` has this name already: two functions cannot have the same id", first.name),
            );
        }
    }
}

/// The implementation.
pub(crate) fn implementation(item: &ItemImpl, args: &WorkerArgs, errors: &mut Errors) {
    match &item.trait_ {
        None => errors.error(
            &item.self_ty,
            "`#[worker]` goes on a trait and on `impl Trait for Type`: an inherent implementation has no trait that \
             a client could be made from",
        ),
        Some((Some(bang), ..)) => {
            errors.error(bang, "a negative implementation serves nothing: leave `#[worker]` out");
        }
        Some(_) => {}
    }
    if let Some(token) = &item.unsafety {
        errors.error(token, "a worker trait cannot be `unsafe`: leave `unsafe` out");
    }
    match &args.instances {
        None if !item.generics.params.is_empty() => {
            let (ty, interface) = (&item.self_ty, item.trait_.as_ref().map(|(_, path, _)| path));
            errors.error(
                &item.generics.params,
                format!(
                    "a generic implementation is many workers, and only a type that is named can be registered: list \
                     the instances, `#[rpc_parallel::worker(for(Type as {}))]` with a `Type` like `{}` without \
                     parameters",
                    spaceless(interface),
                    spaceless(ty),
                ),
            );
        }
        Some(instances) if instances.is_empty() => {
            errors.error(&item.self_ty, "`for()` lists no instance: write `for(Type as Trait)`, or leave it out");
        }
        _ => {}
    }
}

fn qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(token) = &signature.constness {
        errors.error(token, "a worker method runs in another process: leave `const` out");
    }
    if let Some(token) = &signature.unsafety {
        errors.error(token, "a worker method is called from another process and cannot be `unsafe`: leave it out");
    }
    if let Some(token) = &signature.abi {
        errors.error(token, "a worker method has the Rust ABI: leave `extern` out");
    }
    if let Some(token) = &signature.variadic {
        errors.error(token, "a worker method has a fixed number of arguments: take a `Vec<_>` or `&[_]`");
    }
}

fn generics(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = match parameter {
            syn::GenericParam::Lifetime(_) => {
                "a worker method has no lifetime parameters: leave them out, every borrowed argument is lent for the \
                 call"
            }
            _ => {
                "a worker method cannot be generic, for the caller's type is unknown in the worker: name the type, or \
                 make it a parameter of the trait"
            }
        };
        errors.error(parameter, message);
    }
    if let Some(clause) = &generics.where_clause {
        errors.error(clause, "a worker method has no `where` clause: put the bounds on the trait");
    }
}

fn receiver(signature: &Signature, errors: &mut Errors) {
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => receiver_form(receiver, errors),
        _ => errors.error(
            &signature.ident,
            "a worker method is called on a worker: its first argument is `&self` (or put `#[rpc(local)]` on it)",
        ),
    }
}

fn receiver_form(receiver: &Receiver, errors: &mut Errors) {
    if receiver.colon_token.is_some() || receiver.reference.as_ref().is_some_and(|(_, life)| life.is_some()) {
        errors.error(receiver, "the receiver of a worker method is `&self`: write just that");
    } else if receiver.reference.is_none() {
        errors.error(receiver, "the worker goes on after the call and cannot be moved out of: write `&self`");
    } else if receiver.mutability.is_some() {
        errors.error(
            receiver,
            "calls run at the same time and share the worker: write `&self`, and keep what changes in a `Mutex` or an \
             atomic",
        );
    }
}

fn argument_name(pattern: &Pat, errors: &mut Errors) {
    match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.mutability.is_none() && name.subpat.is_none() => {}
        Pat::Ident(name) => {
            errors.error(name, format!("an argument of a worker trait is a plain name: write `{}`", name.ident));
        }
        _ => errors.error(pattern, "an argument of a worker trait is a plain name: take it apart in the body"),
    }
}

fn reserved(name: &Ident, errors: &mut Errors) {
    if name.to_string().starts_with("__rpc_parallel") {
        errors.error(name, "names that begin with `__rpc_parallel` are the macro's own: choose another");
    }
}

fn kind(signature: &Signature, args: &MethodArgs, errors: &mut Errors) {
    let upload = signature.inputs.iter().find_map(|input| match input {
        FnArg::Typed(input) if matches!(types::passing(&input.ty), Passing::Upload(_)) => Some(&input.ty),
        _ => None,
    });
    let output = match &signature.output {
        ReturnType::Type(_, ty) if !is_unit(ty) => Some(ty),
        _ => None,
    };
    if let Some(one_way) = &args.one_way {
        if let Some(output) = output {
            errors.error(output, "a one-way method answers nothing: leave the result out, or leave `one_way` out");
        }
        if let Some(upload) = upload {
            errors.error(upload, "a one-way method is one message and takes no streams: leave `one_way` out");
        }
        for other in [&args.inline, &args.plain].into_iter().flatten() {
            errors.error(
                other,
                format!("`{other}` says nothing of a one-way method: leave `{other}` or `{one_way}` out"),
            );
        }
        return;
    }
    if signature.asyncness.is_some() {
        if let Some(inline) = &args.inline {
            errors.error(
                inline,
                "an `async fn` is polled on the connection's task first anyway: leave `inline` out, or make it a \
                 plain `fn`",
            );
        }
        return;
    }
    if let Some(upload) = upload {
        errors.error(upload, "a method with a stream waits for its items: make it `async fn`");
    }
    if let Some(output) = output
        && check_types::has_stream(output)
    {
        errors.error(output, "a method with a stream outlives its body: make it `async fn`");
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(types::strip(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// Tokens as one writes them, for messages.
pub(crate) fn spaceless(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    text.replace(" < ", "<").replace(" >", ">").replace(" :: ", "::").replace(" ,", ",").replace("& ", "&")
}

/// `main`.
pub(crate) fn main_fn(item: &ItemFn, args: &MainArgs, errors: &mut Errors) {
    let signature = &item.sig;
    if signature.ident != "main" {
        errors.error(&signature.ident, "`#[rpc_parallel::main]` goes on the program's `main`: name it `main`");
    }
    for input in &signature.inputs {
        let message = match input {
            FnArg::Receiver(_) => "`main` is no method: move it out of the implementation",
            FnArg::Typed(_) => "`main` has no arguments: read `std::env::args()` in it",
        };
        errors.error(input, message);
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        errors.error(&signature.generics, "`main` cannot be generic: leave the parameters out");
    }
    qualifiers(signature, errors);
    runtime(signature, args, errors);
}

fn runtime(signature: &Signature, args: &MainArgs, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        if let Some(flavor) = &args.flavor {
            errors.error(flavor, "a plain `fn main` has no runtime: write `async fn main`, or leave `flavor` out");
        }
        if let Some(threads) = &args.worker_threads {
            errors.error(
                threads,
                "a plain `fn main` has no runtime: write `async fn main`, or leave `worker_threads` out",
            );
        }
    }
    if let Some(flavor) = &args.flavor
        && !matches!(flavor.value().as_str(), "current_thread" | "multi_thread")
    {
        errors.error(flavor, "there are two flavors: write \"current_thread\" or \"multi_thread\"");
    }
    if let Some(threads) = &args.worker_threads {
        if args.flavor.as_ref().is_some_and(|flavor| flavor.value() == "current_thread") {
            errors.error(threads, "a \"current_thread\" runtime has one thread: leave `worker_threads` out");
        }
        if threads.base10_parse::<usize>().is_ok_and(|threads| threads == 0) {
            errors.error(threads, "a runtime needs a thread: write 1 or more");
        }
    }
}
