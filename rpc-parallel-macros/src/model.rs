//! What the macro knows of an item: data with spans, and nothing of what becomes of it.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, Generics, ItemTrait, LitStr, Path, Signature, Type};

use crate::{args::WorkerArgs, types};

/// A trait under `#[worker]`.
pub(crate) struct WorkerTrait {
    pub(crate) args: WorkerArgs,
    /// The trait as written, without the `#[rpc]` attributes.
    pub(crate) item: ItemTrait,
    /// Its functions: all methods but the local ones and those with mistakes.
    pub(crate) methods: Vec<Method>,
    /// The functions with mistakes, as the client has them: a call of one is no second mistake.
    pub(crate) stubs: Vec<Stub>,
    /// What each item of the trait is.
    pub(crate) roles: Vec<Role>,
}

/// What is left of a function with mistakes.
pub(crate) struct Stub {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    /// The types of its arguments; `None` is one with a mistake.
    pub(crate) arguments: Vec<Option<Type>>,
    pub(crate) reply: Reply,
}

/// What an item of the trait is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// A function.
    Function,
    /// A function with mistakes.
    Refused,
    /// No function.
    Local,
}

/// A function of a worker trait.
pub(crate) struct Method {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) name: Ident,
    /// The span of `self`.
    pub(crate) receiver: Span,
    pub(crate) is_async: bool,
    pub(crate) kind: Kind,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) reply: Reply,
    pub(crate) pinned: Option<LitStr>,
    pub(crate) signature: u64,
}

/// How the worker runs a function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Call,
    Blocking,
    Inline,
    OneWay,
}

/// An argument: as the trait has it, and how it travels.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) passing: Passing,
}

/// How an argument travels.
pub(crate) enum Passing {
    /// As it is, borrowed parts from the payload.
    Value,
    /// `&[u8]`
    Bytes,
    /// `Vec<u8>`
    ByteVec,
    /// `Bytes`, which may be the one of the crate `bytes`.
    NamedBytes,
    /// `&T`: this is `T`.
    Lent(Type),
    /// `Option<&T>`: this is `T`.
    LentOption(Type),
    /// `impl Stream<Item = I>`: this is `I`.
    Upload(Type),
}

/// What a function answers.
#[expect(clippy::large_enum_variant, reason = "a few live for the time of one expansion")]
pub(crate) enum Reply {
    /// `T`
    Plain(Type),
    /// `Result<T, E>`
    Fallible(Type, Type),
    /// A `Result` under another path, whose types are projected from it.
    Projected(Type),
    /// A type that may be an alias of a `Result`.
    Probed(Type),
    /// `impl Stream<Item = I>`
    Streamed(Type, Failing),
    /// `(T, impl Stream<Item = I>)`
    State(Type, Type, Failing),
}

/// The error type of a reply with a stream.
pub(crate) type Failing = Option<Type>;

/// An implementation under `#[worker]`.
pub(crate) struct WorkerImpl {
    pub(crate) args: WorkerArgs,
    pub(crate) item: syn::ItemImpl,
    /// What is registered: type, trait and client.
    pub(crate) registrations: Vec<Registration>,
}

/// An implementation that is registered.
pub(crate) struct Registration {
    pub(crate) ty: Type,
    pub(crate) interface: Path,
    pub(crate) client: Path,
}

/// A `main` under `#[main]`.
pub(crate) struct MainFn {
    pub(crate) krate: Option<Path>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
    pub(crate) flavor: Flavor,
}

/// The runtime that a `main` asks for.
pub(crate) enum Flavor {
    CurrentThread,
    MultiThread(Option<syn::LitInt>),
}

impl WorkerTrait {
    /// The names of the trait's type parameters.
    pub(crate) fn type_parameters(generics: &Generics) -> Vec<Ident> {
        generics.type_params().map(|parameter| parameter.ident.clone()).collect()
    }
}

impl Method {
    pub(crate) fn uploads(&self) -> usize {
        self.arguments.iter().filter(|argument| matches!(argument.passing, Passing::Upload(_))).count()
    }

    /// The last argument that is no stream, if it may be bytes: these then end the message.
    pub(crate) fn tail(&self) -> Option<usize> {
        let value = |argument: &Argument| !matches!(argument.passing, Passing::Upload(_));
        let last = self.arguments.iter().rposition(value)?;
        let passing = &self.arguments[last].passing;
        matches!(passing, Passing::Bytes | Passing::ByteVec | Passing::NamedBytes).then_some(last)
    }

    /// How the only argument that is no stream travels.
    pub(crate) fn only_argument(&self) -> Option<&Passing> {
        let mut values = self.arguments.iter().map(|argument| &argument.passing);
        let mut next = || values.find(|passing| !matches!(passing, Passing::Upload(_)));
        let first = next();
        if next().is_some() { None } else { first }
    }

    /// Whether all arguments are read before there is a future: where it shows in their types' names that they borrow nothing, and
    /// none of them takes the place of what was read.
    pub(crate) fn reads_arguments_first(&self) -> bool {
        self.arguments.iter().all(|argument| match &argument.passing {
            Passing::Value => types::is_owned(&argument.ty),
            Passing::Upload(_) => true,
            // By itself it takes that place.
            Passing::ByteVec => self.only_argument().is_none(),
            _ => false,
        })
    }

    pub(crate) fn has_download(&self) -> bool {
        matches!(self.reply, Reply::Streamed(..) | Reply::State(..))
    }
}
