//! One sentence for each mistake.

use proc_macro2::TokenStream;
use quote::quote;

use super::{main_messages, method_messages, worker_messages};
use crate::{
    model::Stub,
    parse::{self, Input},
    report::Errors,
};

/// Asserts that the one method has one mistake, with this beginning.
macro_rules! method {
    ($($name:ident: { $($method:tt)* } => $message:literal)*) => {$(
        #[test]
        fn $name() {
            only(method_messages(quote!($($method)*)), $message);
        }
    )*};
}

/// The same of an item with the arguments of its attribute.
macro_rules! item {
    ($($name:ident: ($($args:tt)*) { $($item:tt)* } => $message:literal)*) => {$(
        #[test]
        fn $name() {
            only(worker_messages(quote!($($args)*), quote!($($item)*)), $message);
        }
    )*};
}

/// The same of `main`.
macro_rules! main {
    ($($name:ident: ($($args:tt)*) { $($item:tt)* } => $message:literal)*) => {$(
        #[test]
        fn $name() {
            only(main_messages(quote!($($args)*), quote!($($item)*)), $message);
        }
    )*};
}

#[track_caller]
fn only(messages: Vec<String>, start: &str) {
    assert!(messages.len() == 1 && messages[0].starts_with(start), "{messages:#?}");
}

method! {
    generic_method: { async fn a<T>(&self, n: u8) -> u8; } => "a worker method cannot be generic"
    const_generic_method: { async fn a<const N: usize>(&self) -> u8; } => "a worker method cannot be generic"
    lifetime_parameter: { async fn a<'a>(&self, n: &str) -> u8; } => "a worker method has no lifetime parameters"
    where_clause: { async fn a(&self) where u8: Copy; } => "a worker method has no `where` clause"
    mutable_receiver: { async fn a(&mut self); } => "calls run at the same time and share the worker"
    receiver_by_value: { async fn a(self); } => "the worker goes on after the call"
    typed_receiver: { async fn a(self: &Self); } => "the receiver of a worker method is `&self`"
    receiver_with_a_lifetime: { async fn a(&'static self); } => "the receiver of a worker method is `&self`"
    arc_receiver: { async fn a(self: Arc<Self>); } => "the receiver of a worker method is `&self`"
    no_receiver: { async fn a(n: u8); } => "a worker method is called on a worker"
    pattern: { async fn a(&self, (a, b): (u8, u8)); } => "an argument of a worker trait is a plain name: take it apart"
    wildcard: { async fn a(&self, _: u8); } => "an argument of a worker trait is a plain name"
    mutable_argument: { async fn a(&self, mut n: u8) {} } => "an argument of a worker trait is a plain name: write `n`"
    attribute_on_an_argument: { async fn a(&self, #[cfg(x)] n: u8); } => "an argument of a worker method has no attributes"
    impl_into: { async fn a(&self, n: impl Into<String>); } => "`impl Into<String>` does not say which type travels"
    impl_iterator_argument: { async fn a(&self, n: impl Iterator<Item = u8>); } => "an iterator cannot travel: take"
    impl_fn: { async fn a(&self, n: impl Fn(u8)); } => "a closure cannot travel"
    impl_other: { async fn a(&self, n: impl Debug); } => "`impl Debug` cannot travel: name the type"
    impl_within: { async fn a(&self, n: Vec<impl Debug>); } => "`impl Trait` cannot travel: name the type"
    stream_within: { async fn a(&self, n: Option<impl Stream<Item = u8>>); } => "a stream is an argument of its own"
    stream_without_items: { async fn a(&self, n: impl Stream); } => "say what the items are"
    borrowed_items: { async fn a(&self, n: impl Stream<Item = &str>); } => "an item of a stream must be owned"
    dyn_argument: { async fn a(&self, n: &dyn Debug); } => "a trait object cannot travel"
    mutable_reference: { async fn a(&self, n: &mut u8); } => "changes would stay in the worker"
    self_argument: { async fn a(&self, n: &Self); } => "`Self` is another type in each implementation"
    self_within: { async fn a(&self) -> Vec<Self>; } => "`Self` is another type in each implementation"
    self_type: { async fn a(&self) -> Self::Item; } => "`Self` is another type in each implementation"
    static_argument: { async fn a(&self, n: &'static str); } => "a borrowed argument is lent for the call"
    function_argument: { async fn a(&self, n: fn(u8) -> u8); } => "a function cannot travel"
    pointer: { async fn a(&self, n: *const u8); } => "a pointer means nothing in another process"
    returned_reference: { async fn a(&self) -> &str; } => "a result comes from another process and must be owned"
    returned_reference_within: { async fn a(&self) -> Option<&str>; } => "a result comes from another process"
    returned_lifetime: { async fn a(&self) -> Line<'_>; } => "a result comes from another process and must be owned"
    never: { async fn a(&self) -> !; } => "a call that never returns has no reply"
    inferred: { async fn a(&self) -> _; } => "the type must be known in the trait"
    returned_iterator: { async fn a(&self) -> impl Iterator<Item = u8>; } => "an iterator cannot travel: return `Vec<T>`"
    returned_future: { fn a(&self) -> impl Future<Output = u8>; } => "a future cannot travel: write `async fn`"
    optional_stream: { async fn a(&self) -> Option<impl Stream<Item = u8>>; } => "a stream stands alone"
    stream_first: { async fn a(&self) -> (impl Stream<Item = u8>, u8); } => "a stream stands alone"
    three: { async fn a(&self) -> (u8, u8, impl Stream<Item = u8>); } => "a stream stands alone"
    dyn_error: { async fn a(&self) -> Result<u8, Box<dyn Error>>; } => "a trait object cannot travel: return `Result<_, rpc_parallel::Fault>`"
    dyn_result: { async fn a(&self) -> Box<dyn Debug>; } => "a trait object cannot travel: name the type"
    one_way_with_a_result: { #[rpc(one_way)] fn a(&self) -> u8; } => "a one-way method answers nothing"
    async_one_way_with_a_result: { #[rpc(one_way)] async fn a(&self) -> u8; } => "a one-way method answers nothing"
    one_way_with_a_stream: { #[rpc(one_way)] async fn a(&self, n: impl Stream<Item = u8>); } => "a one-way method is one message"
    one_way_and_inline: { #[rpc(one_way, inline)] fn a(&self); } => "`inline` says nothing of a one-way method"
    async_and_inline: { #[rpc(inline)] async fn a(&self); } => "an `async fn` is polled on the connection's task first anyway"
    blocking_upload: { fn a(&self, n: impl Stream<Item = u8>); } => "a method with a stream waits for its items"
    blocking_download: { fn a(&self) -> impl Stream<Item = u8>; } => "a method with a stream outlives its body"
    local_without_a_body: { #[rpc(local)] fn a(&self); } => "a local method is no call"
    local_and_inline: { #[rpc(local, inline)] fn a(&self) {} } => "a local method is no call: leave `inline` or `local` out"
    local_with_a_name: { #[rpc(local, name = "a")] fn a(&self) {} } => "a local method is no call and has no id"
    unknown_rpc_argument: { #[rpc(oneway)] fn a(&self); } => "unknown argument `oneway`: `#[rpc]` takes"
    duplicate_rpc_argument: { #[rpc(inline)] #[rpc(inline)] fn a(&self); } => "`inline` is given twice"
    empty_rpc: { #[rpc] fn a(&self); } => "say what: `#[rpc(inline)]`"
    empty_name: { #[rpc(name = "")] fn a(&self); } => "the name is empty"
    equal_names: { #[rpc(name = "x")] fn a(&self); #[rpc(name = "x")] fn b(&self); } => "`a` has this name already"
    unsafe_method: { unsafe fn a(&self); } => "a worker method is called from another process and cannot be `unsafe`"
    extern_method: { extern "C" fn a(&self); } => "a worker method has the Rust ABI"
    const_method: { const fn a(&self); } => "a worker method runs in another process"
    conditional_rpc: { #[cfg_attr(test, rpc(inline))] fn a(&self); } => "`#[rpc]` is read before `cfg_attr` is"
    lifetime_and_its_use: { async fn a<'a>(&self, n: &'a str); } => "a worker method has no lifetime parameters"
    variadic: { unsafe extern "C" fn a(&self, n: ...); } => "a worker method has a fixed number of arguments"
    reserved_name: { fn __rpc_parallel_a(&self); } => "names that begin with `__rpc_parallel` are the macro's own"
}

item! {
    unsafe_trait: () { unsafe trait Foo {} } => "a worker trait cannot be `unsafe`"
    auto_trait: () { auto trait Foo {} } => "a worker trait cannot be an auto trait"
    lifetime_on_the_trait: () { trait Foo<'a> {} } => "a worker trait has no lifetimes"
    associated_type: () { trait Foo { type Item; } } => "a worker trait has only methods: make the type a parameter of the trait, `trait Foo<Item>`"
    associated_constant: () { trait Foo { const N: u8; } } => "a worker trait has only methods"
    macro_in_the_trait: () { trait Foo { m!(); } } => "a worker trait has only methods"
    included_trait: (includes(Bar)) { trait Foo {} } => "a worker trait does not include another"
    unknown_argument: (nam = "x") { trait Foo {} } => "unknown argument `nam`: on a trait, `#[worker]` takes"
    duplicate_argument: (name = "x", name = "y") { trait Foo {} } => "`name` is given twice"
    client_is_a_name: (client = a::B) { trait Foo {} } => "on a trait, `client` is the name of the client"
    trait_argument_on_impl: (name = "x") { impl Foo for Bar {} } => "`name` belongs to `#[worker]` on the trait"
    unknown_argument_on_impl: (four = 4) { impl Foo for Bar {} } => "unknown argument `four`: on an implementation"
    inherent_impl: () { impl Bar {} } => "`#[worker]` goes on a trait and on `impl Trait for Type`: an inherent"
    negative_impl: () { impl !Foo for Bar {} } => "a negative implementation serves nothing"
    unsafe_impl: () { unsafe impl Foo for Bar {} } => "a worker trait cannot be `unsafe`"
    generic_impl: () { impl<T> Foo for Wrap<T> {} } => "a generic implementation is many workers"
    no_instances: (for()) { impl<T> Foo for Wrap<T> {} } => "`for()` lists no instance"
    on_a_struct: () { pub struct Foo; } => "`#[worker]` goes on a trait and on `impl Trait for Type`"
    on_a_function: () { fn foo() {} } => "`#[worker]` goes on a trait and on `impl Trait for Type`"
}

main! {
    main_with_arguments: () { async fn main(n: u8) {} } => "`main` has no arguments"
    main_is_no_method: () { async fn main(&self) {} } => "`main` is no method"
    generic_main: () { async fn main<T>() {} } => "`main` cannot be generic"
    another_name: () { async fn start() {} } => "`#[rpc_parallel::main]` goes on the program's `main`"
    unknown_main_argument: (threads = 4) { async fn main() {} } => "unknown argument `threads`: `#[main]` takes"
    unknown_flavor: (flavor = "both") { async fn main() {} } => "there are two flavors"
    flavor_of_a_plain_main: (flavor = "multi_thread") { fn main() {} } => "a plain `fn main` has no runtime"
    threads_of_a_current_thread: (flavor = "current_thread", worker_threads = 2) { async fn main() {} } => "a \"current_thread\" runtime has one thread"
    no_threads: (worker_threads = 0) { async fn main() {} } => "a runtime needs a thread"
    main_on_a_struct: () { struct Foo; } => "`#[rpc_parallel::main]` goes on `async fn main()` or `fn main()`"
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let messages = method_messages(quote! {
        async fn a<T>(&mut self, n: &mut T) -> &str;
        fn b() -> impl Stream<Item = u8>;
        async fn fine(&self);
    });
    assert_eq!(messages.len(), 6, "{messages:#?}");
}

/// What is called of a method with a mistake, so that the call is no second one.
#[test]
fn a_method_with_a_mistake_is_a_stub() {
    let stub = |method: TokenStream| {
        let mut errors = Errors::default();
        let Input::Trait(input) = parse::worker(quote!(), quote!(trait Foo { #method }), &mut errors) else {
            panic!("a trait was parsed");
        };
        assert!(errors.count() > 0 && input.methods.is_empty());
        let known = |stub: &Stub| stub.arguments.iter().map(Option::is_some).collect::<Vec<_>>();
        input.stubs.first().map(|stub| (stub.name.to_string(), known(stub)))
    };
    assert_eq!(
        stub(quote!(
            async fn a(&mut self, n: u8, m: &mut u8) -> u8;
        )),
        Some(("a".to_owned(), vec![true, false]))
    );
    assert_eq!(
        stub(quote!(
            async fn a(n: u8);
        )),
        Some(("a".to_owned(), vec![true]))
    );
    // There is nothing that a call of it could give.
    assert_eq!(
        stub(quote!(
            async fn a(&self) -> &str;
        )),
        None
    );
}

#[test]
fn what_is_right_has_no_message() {
    let messages = worker_messages(
        quote!(name = "x", connect = Vec<u8>, client = FooCaller, crate = a::b),
        quote! {
            pub trait Foo<K, const N: usize>: Debug where K: Copy {
                async fn a(&self, n: Result<u8, u8>, m: Option<&str>, l: Line<'_>) -> Result<Vec<u8>, Fault>;
                #[rpc(local)]
                fn b<T>(self: Box<Self>, n: T) -> Self where Self: Sized { *self }
            }
        },
    );
    assert!(messages.is_empty(), "{messages:#?}");
    assert!(
        main_messages(
            quote!(worker_threads = 4),
            quote!(
                async fn main() -> ExitCode {}
            )
        )
        .is_empty()
    );
}
