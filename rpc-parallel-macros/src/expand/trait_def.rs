//! The trait as implementations see it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    FnArg, ReturnType, Signature, TraitItem, TraitItemFn, Type, TypeImplTrait, TypeParamBound, parse_quote,
    parse_quote_spanned,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use super::{Context, handlers};
use crate::{model::Role, types::has_bound};

/// The trait: `async fn` as `fn -> impl Future + Send`, streams that can be sent, and the hidden handlers.
pub(super) fn trait_def(context: &Context<'_>) -> TokenStream {
    let private = &context.private;
    let mut item = context.input.item.clone();
    for bound in [quote!(Send), quote!(Sync)] {
        item.supertraits.push(parse_quote!(#private::#bound));
    }
    item.supertraits.push(parse_quote!('static));
    item.colon_token.get_or_insert_default();
    item.attrs.push(parse_quote!(#[allow(async_fn_in_trait, clippy::manual_async_fn, clippy::type_complexity)]));
    for (inner, role) in item.items.iter_mut().zip(&context.input.roles) {
        match (inner, role) {
            (TraitItem::Fn(inner), Role::Function) => method(inner, private),
            // What else is wrong with it would only distract from what was reported.
            (TraitItem::Fn(inner), Role::Refused) => refused(inner, private),
            _ => {}
        }
    }
    item.items.push(TraitItem::Verbatim(handlers::handlers(context)));
    item.into_token_stream()
}

fn refused(item: &mut TraitItemFn, private: &TokenStream) {
    sendable_arguments(&mut item.sig, private);
    if item.sig.variadic.take().is_some() {
        (item.sig.unsafety, item.sig.abi) = (None, None);
    }
    if item.default.is_some() {
        return;
    }
    for input in &mut item.sig.inputs {
        if let FnArg::Typed(input) = input {
            input.pat = parse_quote!(_);
        }
    }
}

/// What an implementation's method needs: the bounds of its streams.
pub(super) fn sendable_arguments(signature: &mut Signature, private: &TokenStream) {
    for input in &mut signature.inputs {
        if let FnArg::Typed(input) = input
            && let Type::ImplTrait(ty) = &mut *input.ty
            && has_bound(ty, "Stream")
        {
            ty.bounds.push(parse_quote!(#private::Send));
            ty.bounds.push(parse_quote!(#private::Unpin));
            ty.bounds.push(parse_quote!('static));
        }
    }
}

fn method(item: &mut TraitItemFn, private: &TokenStream) {
    sendable_arguments(&mut item.sig, private);
    if item.sig.asyncness.take().is_none() {
        return;
    }
    if let ReturnType::Type(_, ty) = &mut item.sig.output {
        SendStreams { private }.visit_type_mut(ty);
    }
    item.sig.output = match &item.sig.output {
        ReturnType::Default => parse_quote!(-> impl #private::Future<Output = ()> + #private::Send),
        ReturnType::Type(_, ty) => {
            parse_quote_spanned!(ty.span()=> -> impl #private::Future<Output = #ty> + #private::Send)
        }
    };
    if let Some(body) = &mut item.default {
        *body = parse_quote!({ async move #body });
    }
}

/// Adds `+ Send` to the streams in a return type.
struct SendStreams<'a> {
    private: &'a TokenStream,
}

impl VisitMut for SendStreams<'_> {
    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        if has_bound(ty, "Stream") {
            let private = self.private;
            let send: TypeParamBound = parse_quote!(#private::Send);
            ty.bounds.push(send);
        }
        visit_mut::visit_type_impl_trait_mut(self, ty);
    }
}
