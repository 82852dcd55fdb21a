//! The handlers: from an incoming call to the trait's method and its answer.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{GenericParam, ext::IdentExt, parse_quote, spanned::Spanned};

use super::{Context, quiet, shape};
use crate::{
    model::{Argument, Kind, Method, Passing},
    paths,
};

/// The hidden provided method of the trait that gives the table of handlers.
pub(super) fn handlers(context: &Context<'_>) -> TokenStream {
    let Context { private, wire, .. } = context;
    let (name, quiet) = (paths::handlers(), quiet());
    let predicates = &wire.predicates;
    let functions = context.methods().map(|(method, cfgs)| {
        let function = function(context, method);
        quote!(#(#cfgs)* #function)
    });
    let handlers = context.methods().map(|(method, cfgs)| {
        let handler = handler(context, method);
        quote!(#(#cfgs)* #handler)
    });
    quote! {
        #[doc(hidden)]
        #quiet
        fn #name() -> &'static [#private::Handler<Self>]
        where
            Self: #private::Sized,
            #predicates
        {
            #(#functions)*
            const { &[#(#handlers),*] }
        }
    }
}

/// A line of the table.
fn handler(context: &Context<'_>, method: &Method) -> TokenStream {
    let Context { private, generics, .. } = context;
    let handler = paths::handler_fn(&method.name);
    let parameters = generics.params.iter().map(parameter_name);
    let kind = if method.is_async { quote!(Future) } else { quote!(Plain) };
    quote!(#private::Handler::#kind(#handler::<Self, #(#parameters),*>))
}

/// What a line of the table points to. It is a function of its own, since the compiler's work on a body grows faster than
/// the body does.
fn function(context: &Context<'_>, method: &Method) -> TokenStream {
    let Context { private, wire, generics, input, .. } = context;
    let (interface, worker) = (&input.item.ident, paths::worker_type());
    let (_, ty_generics, _) = generics.split_for_impl();
    let mut parameters = generics.clone();
    parameters.params.insert(0, parse_quote!(#worker: #interface #ty_generics));
    let (parameters, ..) = parameters.split_for_impl();
    let handler = paths::handler_fn(&method.name);
    let predicates = &wire.predicates;
    let [state, incoming, payload, handling] = ["state", "incoming", "payload", "handling"].map(paths::local);
    let locals = Locals { state: &state, incoming: &incoming, payload: &payload, handling: &handling };
    let Body { unpack, run } = body(context, method, &locals);
    let mutable = (!method.has_download() && method.kind != Kind::OneWay).then(|| quote!(mut));
    let handled = quote!(let #mutable #handling = #private::Incoming::handling(#incoming, #state););
    let kept = quote!(let #payload = #private::Incoming::payload(#incoming););
    let (arguments, output, body) = match method.kind {
        _ if method.is_async => {
            let body = match method.reads_arguments_first() {
                // What borrows nothing is read before the future is made, which then is so much smaller.
                true => quote!(#unpack #handled #private::Some(async move { #run })),
                false => quote!(#handled #kept #private::Some(async move { #unpack #run })),
            };
            let arguments = quote!(#state: &#private::Arc<#worker>);
            (arguments, quote!(Place), quote!(#private::Place::new(#state, |#state, #incoming| { #body })))
        }
        kind => {
            let arguments = quote!(#state: &mut #private::Loan<#worker>, #incoming: &mut #private::Incoming<'_>);
            let way = if kind == Kind::Blocking { quote!(blocking) } else { quote!(inline) };
            (arguments, quote!(Work), quote!(#handled #kept #private::Work::#way(move || { #unpack #run })))
        }
    };
    quote! {
        fn #handler #parameters(#arguments) -> #private::#output
        where
            #predicates
        {
            #body
        }
    }
}

fn parameter_name(parameter: &GenericParam) -> &Ident {
    match parameter {
        GenericParam::Type(parameter) => &parameter.ident,
        GenericParam::Const(parameter) => &parameter.ident,
        GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
    }
}

struct Locals<'a> {
    state: &'a Ident,
    incoming: &'a Ident,
    payload: &'a Ident,
    handling: &'a Ident,
}

/// What a handler does, in two parts.
struct Body {
    /// Reads the arguments.
    unpack: TokenStream,
    /// Calls the method, and answers.
    run: TokenStream,
}

fn body(context: &Context<'_>, method: &Method, locals: &Locals<'_>) -> Body {
    let Locals { state, handling, .. } = locals;
    let Context { private, input, .. } = context;
    let (interface, name, worker) = (&input.item.ident, &method.name, paths::worker_type());
    let (_, ty_generics, _) = input.item.generics.split_for_impl();
    let [reader, answer, output] = ["reader", "answer", "output"].map(paths::local);
    let (mut taken, mut takes, mut uploads, mut passed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let tail = method.tail();
    // A stream may borrow the state, so that there it is kept apart from what answers.
    let (split, uploaded, uploading, on) = match method.has_download() {
        true => {
            let mutable = (method.uploads() > 0).then(|| quote!(mut));
            let split = quote!(let (#state, #mutable #answer) = #private::Handling::split(#handling););
            (Some(split), &answer, quote!(Answer), quote!(&*#state))
        }
        false => (None, *handling, quote!(Handling), quote!(#private::Handling::state(&#handling))),
    };
    for (index, argument) in method.arguments.iter().enumerate() {
        let local = paths::local(&format!("argument_{index}"));
        match &argument.passing {
            Passing::Upload(item) => {
                let codec = quote_spanned!(item.span()=> #private::item::<#item>());
                uploads.push(quote!(let #local = #private::#uploading::upload(&mut #uploaded, #codec);));
                passed.push(quote!(#local));
            }
            passing => {
                takes.push(take(argument, tail == Some(index), &reader, private));
                passed.push(match passing {
                    Passing::Lent(_) => quote!(#private::Holder::lend(&#local)),
                    Passing::LentOption(_) => quote!(#private::OptionHolder::lend(&#local)),
                    _ => quote!(#local),
                });
                taken.push(local);
            }
        }
    }
    let unpack = unpack(method, locals, private, &taken, &takes);
    let wait = method.is_async.then(|| quote!(.await));
    let call = quote!(<#worker as #interface #ty_generics>::#name(#on, #(#passed),*) #wait);
    let finish = finish(method, locals, uploaded, &output, private);
    let run = quote! {
        #split
        #(#uploads)*
        let #output = #call;
        #finish
    };
    Body { unpack, run }
}

/// Reads the arguments: what `takes` takes becomes the variables in `taken`.
fn unpack(
    method: &Method,
    locals: &Locals<'_>,
    private: &TokenStream,
    taken: &[Ident],
    takes: &[TokenStream],
) -> TokenStream {
    let Locals { incoming, payload, handling, .. } = locals;
    let [reader, arguments, error] = ["reader", "arguments", "error"].map(paths::local);
    let read = |of: &str, from: &Ident| {
        let ty = Ident::new(of, Span::call_site());
        quote!(#private::#ty::read(&#from, |#reader| #private::Ok((#(#takes,)*))))
    };
    if method.is_async && method.reads_arguments_first() {
        return match (method.only_argument(), &*method.arguments) {
            // One function of the library does it all.
            (Some(Passing::Value), [Argument { ty, name, .. }]) => {
                let codec = quote_spanned!(ty.span()=> #private::argument::<#ty>());
                let name = name.unraw().to_string();
                quote!(let #(#taken)* = #codec.take_only(#incoming, #name)?;)
            }
            _ => {
                let read = read("Incoming", incoming);
                quote!(let (#(#taken,)*) = #read?;)
            }
        };
    }
    let read = match method.only_argument() {
        // Bytes alone take the place of what was read.
        Some(Passing::ByteVec) => {
            quote!(#private::Result::<_, #private::Undecodable>::Ok((#payload.into_vec(),)))
        }
        _ => read("Payload", payload),
    };
    quote! {
        let (#(#taken,)*) = match #read {
            #private::Ok(#arguments) => #arguments,
            #private::Err(#error) => return #handling.undecodable(#error),
        };
    }
}

/// Takes an argument; `tail` as for the client.
fn take(argument: &Argument, tail: bool, reader: &Ident, private: &TokenStream) -> TokenStream {
    let (ty, text) = (&argument.ty, argument.name.unraw().to_string());
    match &argument.passing {
        Passing::Bytes if tail => quote!(#reader.take_tail()),
        Passing::ByteVec if tail => quote!(#reader.take_tail().to_vec()),
        Passing::NamedBytes if tail => {
            let take = quote_spanned!(ty.span()=> #private::Tail::<#ty>::take);
            quote! {{
                use #private::OtherTail as _;
                #take(#reader, #text)?
            }}
        }
        Passing::Bytes => quote!(#reader.take_bytes(#text)?),
        Passing::ByteVec => quote!(#reader.take_bytes(#text)?.to_vec()),
        Passing::Lent(inner) => {
            let codec = quote_spanned!(inner.span()=> #private::lent::<#inner>());
            quote!(#codec.take(#reader, #text)?)
        }
        Passing::LentOption(inner) => {
            let codec = quote_spanned!(inner.span()=> #private::lent_option::<#inner>());
            quote!(#codec.take(#reader, #text)?)
        }
        Passing::Value | Passing::NamedBytes | Passing::Upload(_) => {
            let codec = quote_spanned!(ty.span()=> #private::argument::<#ty>());
            quote!(#codec.take(#reader, #text)?)
        }
    }
}

/// Answers, and gives the state back.
fn finish(
    method: &Method,
    locals: &Locals<'_>,
    answer: &Ident,
    output: &Ident,
    private: &TokenStream,
) -> TokenStream {
    use crate::model::Reply;

    if method.kind == Kind::OneWay {
        return quote!(let () = #output; #answer.done());
    }
    let shape = shape::shape(&method.reply, private);
    let state = locals.state;
    let result = shape::result(&method.reply, quote!(#output), private);
    match method.reply {
        Reply::Streamed(..) => quote!(#answer.stream(#result, #shape).await; #state),
        Reply::State(..) => quote!(#answer.state(#result, #shape).await; #state),
        _ => quote! {
            #private::Handling::reply(&mut #answer, #result, #shape);
            #answer.into_state()
        },
    }
}
