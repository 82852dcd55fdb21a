//! The arguments of the attributes.

use proc_macro2::{Ident, TokenStream};
use syn::{
    Attribute, LitInt, LitStr, Meta, Path, Token, Type,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

use crate::report::Errors;

/// Of `#[worker(..)]`.
#[derive(Default)]
pub(crate) struct WorkerArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) connect: Option<Type>,
    pub(crate) client: Option<Path>,
    pub(crate) krate: Option<Path>,
    pub(crate) instances: Option<Vec<Instance>>,
}

/// `Wrap<u64> as Counter`: an instance of a generic implementation.
pub(crate) struct Instance {
    pub(crate) ty: Type,
    pub(crate) interface: Path,
}

/// What `#[worker]` stands on, which decides the arguments that it takes.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Place {
    Trait,
    Impl,
}

/// Of `#[rpc(..)]` on a method.
#[derive(Default)]
pub(crate) struct MethodArgs {
    pub(crate) inline: Option<Ident>,
    pub(crate) one_way: Option<Ident>,
    pub(crate) local: Option<Ident>,
    pub(crate) plain: Option<Ident>,
    pub(crate) name: Option<LitStr>,
}

/// Of `#[main(..)]`.
#[derive(Default)]
pub(crate) struct MainArgs {
    pub(crate) flavor: Option<LitStr>,
    pub(crate) worker_threads: Option<LitInt>,
    pub(crate) krate: Option<Path>,
}

impl WorkerArgs {
    // `name = "..", connect = Type, client = Name, crate = path` on a trait,
    // `client = path, crate = path, for(Type as Trait, ..)` on an implementation
    pub(crate) fn parse(tokens: TokenStream, place: Place, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        each(tokens, errors, |key, input, errors| {
            match (key.to_string().as_str(), place) {
                ("name", Place::Trait) => set(&mut args.name, key, value(input)?, errors),
                ("connect", Place::Trait) => set(&mut args.connect, key, value(input)?, errors),
                ("client", _) => set(&mut args.client, key, path(input)?, errors),
                ("crate", _) => set(&mut args.krate, key, path(input)?, errors),
                ("for", Place::Impl) => set(&mut args.instances, key, instances(input)?, errors),
                ("name" | "connect", Place::Impl) => {
                    errors.error(key, format!("`{key}` belongs to `#[worker]` on the trait"));
                    skip(input)?;
                }
                ("includes", Place::Trait) => {
                    errors.error(
                        key,
                        "a worker trait does not include another: implement both for the worker, and connect to the \
                         other with `connect_to::<OtherClient>()`",
                    );
                    skip(input)?;
                }
                (_, Place::Trait) => {
                    errors.error(
                        key,
                        format!(
                            "unknown argument `{key}`: on a trait, `#[worker]` takes `name = \"..\"`, \
                             `connect = Type`, `client = Name` and `crate = path`"
                        ),
                    );
                    skip(input)?;
                }
                (_, Place::Impl) => {
                    errors.error(
                        key,
                        format!(
                            "unknown argument `{key}`: on an implementation, `#[worker]` takes `client = path`, \
                             `crate = path` and `for(Type as Trait, ..)`"
                        ),
                    );
                    skip(input)?;
                }
            }
            Ok(())
        });
        if let (Place::Trait, Some(client)) = (place, &args.client)
            && client.get_ident().is_none()
        {
            errors.error(client, "on a trait, `client` is the name of the client to make: one identifier");
            args.client = None;
        }
        args
    }
}

impl MethodArgs {
    /// Takes the `#[rpc(..)]` attributes out of `attributes`.
    pub(crate) fn take(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        attributes.retain(|attribute| {
            if let Some(inner) = conditional_rpc(attribute) {
                errors.error(
                    inner,
                    "`#[rpc]` is read before `cfg_attr` is: write the method twice, with and without `#[rpc]`, each \
                     under a `#[cfg]`",
                );
                return false;
            }
            if !attribute.path().is_ident("rpc") {
                return true;
            }
            match attribute.meta.require_list() {
                Ok(list) => args.extend(list.tokens.clone(), errors),
                Err(_) => errors.error(
                    attribute,
                    "say what: `#[rpc(inline)]`, `#[rpc(one_way)]`, `#[rpc(local)]`, `#[rpc(plain)]` or \
                     `#[rpc(name = \"..\")]`",
                ),
            }
            false
        });
        args
    }

    // `inline, one_way, local, plain, name = ".."`
    fn extend(&mut self, tokens: TokenStream, errors: &mut Errors) {
        each(tokens, errors, |key, input, errors| {
            match key.to_string().as_str() {
                "inline" => set(&mut self.inline, key, key.clone(), errors),
                "one_way" => set(&mut self.one_way, key, key.clone(), errors),
                "local" => set(&mut self.local, key, key.clone(), errors),
                "plain" => set(&mut self.plain, key, key.clone(), errors),
                "name" => set(&mut self.name, key, value(input)?, errors),
                _ => {
                    errors.error(
                        key,
                        format!(
                            "unknown argument `{key}`: `#[rpc]` takes `inline`, `one_way`, `local`, `plain` and \
                             `name = \"..\"`"
                        ),
                    );
                    skip(input)?;
                }
            }
            Ok(())
        });
    }
}

impl MainArgs {
    // `flavor = "..", worker_threads = N, crate = path`
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        each(tokens, errors, |key, input, errors| {
            match key.to_string().as_str() {
                "flavor" => set(&mut args.flavor, key, value(input)?, errors),
                "worker_threads" => set(&mut args.worker_threads, key, value(input)?, errors),
                "crate" => set(&mut args.krate, key, path(input)?, errors),
                _ => {
                    errors.error(
                        key,
                        format!(
                            "unknown argument `{key}`: `#[main]` takes `flavor = \"..\"`, `worker_threads = N` and \
                             `crate = path`"
                        ),
                    );
                    skip(input)?;
                }
            }
            Ok(())
        });
        args
    }
}

/// The `rpc` of `#[cfg_attr(.., rpc(..))]`.
fn conditional_rpc(attribute: &Attribute) -> Option<Path> {
    if !attribute.path().is_ident("cfg_attr") {
        return None;
    }
    let inner = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    inner.into_iter().skip(1).map(|meta| meta.path().clone()).find(|path| path.is_ident("rpc"))
}

/// Calls `take` with the key of each argument.
fn each(
    tokens: TokenStream,
    errors: &mut Errors,
    mut take: impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            take(&key, input, errors)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
}

fn set<T>(slot: &mut Option<T>, key: &Ident, value: T, errors: &mut Errors) {
    if slot.replace(value).is_some() {
        errors.error(key, format!("`{key}` is given twice: leave one out"));
    }
}

fn value<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    input.parse::<Token![=]>()?;
    Path::parse_mod_style(input)
}

fn instances(input: ParseStream<'_>) -> syn::Result<Vec<Instance>> {
    let content;
    parenthesized!(content in input);
    let instance = |input: ParseStream<'_>| {
        let ty = input.parse()?;
        input.parse::<Token![as]>()?;
        Ok(Instance { ty, interface: input.parse()? })
    };
    Ok(Punctuated::<_, Token![,]>::parse_terminated_with(&content, instance)?.into_iter().collect())
}

/// Goes to the next comma.
fn skip(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
