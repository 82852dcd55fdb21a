//! The rules for the types in a method's signature.

use quote::ToTokens;
use syn::{
    Lifetime, ReturnType, Type, TypeImplTrait, TypeReference, TypeTraitObject,
    visit::{self, Visit},
};

use crate::{
    check::spaceless,
    report::Errors,
    types::{arguments, has_bound, item_of, last_is, strip},
};

/// The type of an argument.
pub(crate) fn argument(ty: &Type, errors: &mut Errors) {
    match strip(ty) {
        Type::ImplTrait(ty) if has_bound(ty, "Stream") => stream(ty, errors),
        Type::ImplTrait(ty) => errors.error(ty, refused_impl_argument(ty)),
        ty => Nested { position: Position::Argument, errors }.visit_type(ty),
    }
}

/// The type of the result.
pub(crate) fn output(output: &ReturnType, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = output else { return };
    match strip(ty) {
        Type::Path(path) if last_is(path, "Result") => {
            for (index, ty) in arguments(path).into_iter().enumerate() {
                if index == 0 {
                    value(ty, errors);
                } else {
                    Nested { position: Position::Error, errors }.visit_type(ty);
                }
            }
        }
        ty => value(ty, errors),
    }
}

/// Whether a stream is anywhere in `ty`.
pub(crate) fn has_stream(ty: &Type) -> bool {
    struct Find(bool);
    impl<'ast> Visit<'ast> for Find {
        fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
            self.0 |= has_bound(ty, "Stream");
        }
    }
    let mut find = Find(false);
    find.visit_type(ty);
    find.0
}

/// The value within a result: a stream, a value and a stream, or a plain value.
fn value(ty: &Type, errors: &mut Errors) {
    match strip(ty) {
        Type::ImplTrait(ty) if has_bound(ty, "Stream") => stream(ty, errors),
        Type::Tuple(tuple) if tuple.elems.len() == 2 && !has_stream(&tuple.elems[0]) => {
            Nested { position: Position::Value, errors }.visit_type(&tuple.elems[0]);
            match strip(&tuple.elems[1]) {
                Type::ImplTrait(ty) if has_bound(ty, "Stream") => stream(ty, errors),
                ty => Nested { position: Position::Value, errors }.visit_type(ty),
            }
        }
        ty => Nested { position: Position::Value, errors }.visit_type(ty),
    }
}

fn stream(ty: &TypeImplTrait, errors: &mut Errors) {
    match item_of(ty) {
        Some(item) => Nested { position: Position::Item, errors }.visit_type(item),
        None => errors.error(ty, "say what the items are: `impl Stream<Item = T>`"),
    }
}

fn refused_impl_argument(ty: &TypeImplTrait) -> String {
    let conversions = ["Into", "AsRef", "ToString", "Borrow", "ToOwned"];
    if conversions.iter().any(|name| has_bound(ty, name)) {
        return format!(
            "`{}` does not say which type travels: take the type itself, `String` or `&str`, and let the caller \
             convert",
            spaceless(ty)
        );
    }
    if has_bound(ty, "Iterator") || has_bound(ty, "IntoIterator") {
        return "an iterator cannot travel: take a `&[T]` or `Vec<T>`, or `impl Stream<Item = T>`".to_owned();
    }
    if ["Fn", "FnMut", "FnOnce"].iter().any(|name| has_bound(ty, name)) {
        return "a closure cannot travel: call the worker with data, or spawn a worker of your own for the code"
            .to_owned();
    }
    format!("`{}` cannot travel: name the type, or take `impl Stream<Item = T>`", spaceless(ty))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Position {
    Argument,
    Value,
    Error,
    Item,
}

/// What no type in a signature may contain.
struct Nested<'a> {
    position: Position,
    errors: &'a mut Errors,
}

impl Nested<'_> {
    fn error(&mut self, tokens: impl ToTokens, message: &str) {
        self.errors.error(tokens, message);
    }
}

impl<'ast> Visit<'ast> for Nested<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first()
            && first.ident == "Self"
        {
            self.error(
                first,
                "`Self` is another type in each implementation, and the client knows none of them: name the type",
            );
            return;
        }
        visit::visit_path(self, path);
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        let stream = has_bound(ty, "Stream");
        let message = match self.position {
            Position::Argument if stream => "a stream is an argument of its own: write `name: impl Stream<Item = T>`",
            Position::Argument => "`impl Trait` cannot travel: name the type",
            _ if stream => {
                "a stream stands alone, in `Result<_, E>` or last in a pair `(T, _)`: return one of these, with an \
                 empty stream or an error where there is none"
            }
            _ if has_bound(ty, "Iterator") || has_bound(ty, "IntoIterator") => {
                "an iterator cannot travel: return `Vec<T>`, or `impl Stream<Item = T>` in an `async fn`"
            }
            _ if has_bound(ty, "Future") => "a future cannot travel: write `async fn` and return its output",
            _ => "`impl Trait` cannot travel: name the type, or return `impl Stream<Item = T>`",
        };
        self.error(ty, message);
    }

    fn visit_type_trait_object(&mut self, ty: &'ast TypeTraitObject) {
        let message = match self.position {
            Position::Error => {
                "a trait object cannot travel: return `Result<_, rpc_parallel::Fault>`, `?` turns any error into a \
                 `Fault`"
            }
            _ => "a trait object cannot travel: name the type, or make an enum of the types that there are",
        };
        self.error(ty, message);
    }

    fn visit_type_reference(&mut self, ty: &'ast TypeReference) {
        if self.position != Position::Argument {
            let message = match self.position {
                Position::Item => "an item of a stream must be owned: for example `String` and not `&str`",
                _ => "a result comes from another process and must be owned: for example `String` and not `&str`",
            };
            self.error(ty, message);
            return;
        }
        if ty.mutability.is_some() {
            self.error(ty, "changes would stay in the worker: take the value, and return the new one");
            return;
        }
        visit::visit_type_reference(self, ty);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident == "_" && self.position == Position::Argument {
            return;
        }
        let message = match self.position {
            Position::Argument => "a borrowed argument is lent for the call: leave the lifetime out, or write `'_`",
            _ => "a result comes from another process and must be owned: use a type without a lifetime",
        };
        self.error(lifetime, message);
    }

    fn visit_type_bare_fn(&mut self, ty: &'ast syn::TypeBareFn) {
        self.error(ty, "a function cannot travel: send data, and let the worker choose the function");
    }

    fn visit_type_ptr(&mut self, ty: &'ast syn::TypePtr) {
        self.error(ty, "a pointer means nothing in another process: send the value");
    }

    fn visit_type_never(&mut self, ty: &'ast syn::TypeNever) {
        self.error(ty, "a call that never returns has no reply: return `()`, or use `#[rpc(one_way)]`");
    }

    fn visit_type_infer(&mut self, ty: &'ast syn::TypeInfer) {
        self.error(ty, "the type must be known in the trait: write it out");
    }
}
