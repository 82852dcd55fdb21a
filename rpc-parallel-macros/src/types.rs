//! From the types in a method's signature to how they travel.

use proc_macro2::Ident;
use syn::{
    AngleBracketedGenericArguments, AssocType, GenericArgument, Path, PathArguments, ReturnType, Type, TypeImplTrait,
    TypeParamBound, TypePath, parse_quote, visit::Visit,
};

use crate::model::{Passing, Reply};

/// How an argument of the type `ty` travels, apart from what `check` refuses.
pub(crate) fn passing(ty: &Type) -> Passing {
    match strip(ty) {
        Type::ImplTrait(stream) => match item_of(stream) {
            Some(item) => Passing::Upload(item.clone()),
            None => Passing::Value,
        },
        Type::Reference(reference) => match strip(&reference.elem) {
            Type::Slice(slice) if is_path(&slice.elem, "u8") => Passing::Bytes,
            inner if is_path(inner, "str") => Passing::Value,
            inner => Passing::Lent(inner.clone()),
        },
        Type::Path(path) => match arguments(path).as_slice() {
            [inner] if last_is(path, "Vec") && is_path(inner, "u8") => Passing::ByteVec,
            [] if last_is(path, "Bytes") => Passing::NamedBytes,
            [Type::Reference(reference)] if last_is(path, "Option") => match strip(&reference.elem) {
                Type::Slice(slice) if is_path(&slice.elem, "u8") => Passing::Value,
                inner if is_path(inner, "str") => Passing::Value,
                inner => Passing::LentOption(inner.clone()),
            },
            _ => Passing::Value,
        },
        _ => Passing::Value,
    }
}

/// What a method with this return type answers, apart from what `check` refuses. `plain` is `#[rpc(plain)]`,
/// `parameters` are the trait's type parameters.
pub(crate) fn reply(output: &ReturnType, plain: bool, parameters: &[Ident]) -> Reply {
    let ReturnType::Type(_, ty) = output else { return Reply::Plain(parse_quote!(())) };
    let ty = strip(ty);
    if let Some(reply) = streaming(ty, None) {
        return reply;
    }
    let Type::Path(path) = ty else { return Reply::Plain(ty.clone()) };
    if !plain && last_is(path, "Result") {
        return match arguments(path).as_slice() {
            [first, rest @ ..] if streaming(first, None).is_some() => {
                let error = rest.first().map_or_else(|| error_of_alias(path), |error| (*error).clone());
                streaming(first, Some(error)).expect("it was one a line ago")
            }
            [value, error] if is_std_result(&path.path) => Reply::Fallible((*value).clone(), (*error).clone()),
            _ => Reply::Projected(ty.clone()),
        };
    }
    // A constant expression in a type may not mention a type parameter.
    if plain || is_well_known(path) || mentions(ty, parameters) {
        return Reply::Plain(ty.clone());
    }
    Reply::Probed(ty.clone())
}

/// The reply of `impl Stream<Item = I>` or `(T, impl Stream<Item = I>)`.
fn streaming(ty: &Type, error: Option<Type>) -> Option<Reply> {
    match strip(ty) {
        Type::ImplTrait(stream) => Some(Reply::Streamed(item_of(stream)?.clone(), error)),
        Type::Tuple(tuple) if tuple.elems.len() == 2 => {
            let Type::ImplTrait(stream) = strip(&tuple.elems[1]) else { return None };
            Some(Reply::State(tuple.elems[0].clone(), item_of(stream)?.clone(), error))
        }
        _ => None,
    }
}

/// The error of `io::Result<impl Stream<..>>`: that of `io::Result<()>`.
fn error_of_alias(path: &TypePath) -> Type {
    let mut path = path.clone();
    if let Some(last) = path.path.segments.last_mut() {
        last.arguments = PathArguments::AngleBracketed(parse_quote!(<()>));
    }
    Type::Path(path)
}

/// The `I` of `impl Stream<Item = I>`.
pub(crate) fn item_of(ty: &TypeImplTrait) -> Option<&Type> {
    ty.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Stream")?;
        let PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) = &last.arguments else {
            return None;
        };
        args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(AssocType { ident, ty, .. }) if ident == "Item" => Some(ty),
            _ => None,
        })
    })
}

/// Whether one of the bounds is a trait of this name.
pub(crate) fn has_bound(ty: &TypeImplTrait, name: &str) -> bool {
    ty.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == name),
        _ => false,
    })
}

/// The type within parentheses and macro groups.
pub(crate) fn strip(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Paren(inner) => &inner.elem,
            Type::Group(inner) => &inner.elem,
            _ => return ty,
        };
    }
}

/// The types between the angle brackets of the last segment.
pub(crate) fn arguments(path: &TypePath) -> Vec<&Type> {
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(strip(ty)),
        _ => None,
    });
    types.collect()
}

pub(crate) fn last_is(path: &TypePath, name: &str) -> bool {
    path.path.segments.last().is_some_and(|last| last.ident == name)
}

fn is_path(ty: &Type, name: &str) -> bool {
    matches!(strip(ty), Type::Path(path) if path.qself.is_none() && path.path.is_ident(name))
}

/// `Result`, `std::result::Result`, `core::result::Result`: the path whose two arguments are value and error.
fn is_std_result(path: &Path) -> bool {
    let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    matches!(names[..], [_] | ["std" | "core", "result", _])
}

/// Whether the type's name says that it borrows nothing: many others borrow nothing either.
pub(crate) fn is_owned(ty: &Type) -> bool {
    match strip(ty) {
        Type::Path(path) => is_well_known(path) && !last_is(path, "Cow") && arguments(path).into_iter().all(is_owned),
        Type::Tuple(tuple) => tuple.elems.iter().all(is_owned),
        Type::Array(array) => is_owned(&array.elem),
        _ => false,
    }
}

/// Types that are no `Result` under any circumstances, so that the client's signature can name them as they are.
fn is_well_known(path: &TypePath) -> bool {
    const NAMES: &[&str] = &[
        "bool",
        "char",
        "u8",
        "u16",
        "u32",
        "u64",
        "u128",
        "usize",
        "i8",
        "i16",
        "i32",
        "i64",
        "i128",
        "isize",
        "f32",
        "f64",
        "String",
        "Vec",
        "Option",
        "Box",
        "HashMap",
        "HashSet",
        "BTreeMap",
        "BTreeSet",
        "VecDeque",
        "Duration",
        "SystemTime",
        "PathBuf",
        "Bytes",
        "Cow",
        "Arc",
        "Rc",
    ];
    path.path.segments.last().is_some_and(|last| NAMES.iter().any(|name| last.ident == name))
}

fn mentions(ty: &Type, parameters: &[Ident]) -> bool {
    struct Mentions<'a>(&'a [Ident], bool);
    impl<'ast> Visit<'ast> for Mentions<'_> {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.1 |= self.0.contains(ident);
        }
    }
    let mut found = Mentions(parameters, false);
    found.visit_type(ty);
    found.1
}
