use crate::function::{FunctionKind, FunctionParts};

use super::*;

const fn function(module: &'static str, pinned: Option<&'static str>, line: u32) -> Function {
    Function::new(FunctionParts {
        path: [module, "Counter", "add"],
        pinned,
        name: "Counter::add",
        kind: FunctionKind::Call,
        uploads: 0,
        download: false,
        signature: 1,
        line,
    })
}

const fn interface(
    module: &'static str,
    pinned: Option<&'static str>,
    functions: &'static [Function],
    line: u32,
) -> Interface {
    Interface::new([module, "Counter"], pinned, "Counter", functions, ("src/counter.rs", line))
}

struct One;
struct Two;

const fn registration(interface: &'static Interface, worker_type: fn() -> WorkerTypeId, line: u32) -> Registration {
    Registration {
        interface,
        worker_type,
        worker_type_name: || "one::One",
        implementation_name: || "one::Session",
        file: "src/one.rs",
        line,
        init: |_, _| Box::pin(async { Err(Fault::new("unused")) }),
        open: |_, _| Box::pin(async { Err(Fault::new("unused")) }),
    }
}

static A: Interface = interface("a", None, &[function("a", None, 5)], 4);
static B: Interface = interface("b", None, &[function("b", None, 15)], 14);
static ONE_A: Registration = registration(&A, WorkerTypeId::of::<One>, 1);
static ONE_B: Registration = registration(&B, WorkerTypeId::of::<One>, 2);
static TWO_A: Registration = registration(&A, WorkerTypeId::of::<Two>, 3);

#[test]
fn implementations_are_found() {
    let registry = Registry::new([&TWO_A, &ONE_B, &ONE_A]).unwrap();
    let found = registry.get(WorkerTypeId::of::<Two>(), A.id).unwrap();
    assert_eq!(found.line, 3);
    let lines: Vec<u32> = registry.registrations().iter().map(|one| one.line).collect();
    assert_eq!(lines, [1, 2, 3]);
}

#[test]
fn what_is_missing_is_told_with_what_there_is() {
    let registry = Registry::new([&ONE_A]).unwrap();
    let error = registry.find((WorkerTypeId::of::<Two>(), "mycrate::Two"), (A.id, "Counter")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no implementation of `Counter` for the worker `mycrate::Two` is linked into this program; registered are: \
         Counter for one::Session (src/one.rs:1). If it is in a library that the program does not mention otherwise, \
         add `use mycrate as _;`"
    );
    let empty = Registry::new([]).unwrap();
    let error = empty.find((WorkerTypeId::of::<Two>(), "mycrate::Two"), (A.id, "Counter")).unwrap_err();
    assert!(error.to_string().contains("registered are: none."));
}

#[test]
fn one_trait_twice_for_one_worker_is_refused() {
    static AGAIN: Registration = registration(&A, WorkerTypeId::of::<One>, 9);
    let error = Registry::new([&AGAIN, &ONE_A]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`one::One` serves `Counter` twice, at src/one.rs:1 and at src/one.rs:9: a worker has one implementation of \
         each trait, for itself or for one type of connection state"
    );
}

#[test]
fn equal_function_ids_are_refused() {
    static C: Interface = interface("c", None, &[function("c", Some("add"), 25), function("d", Some("add"), 26)], 24);
    static ONE_C: Registration = registration(&C, WorkerTypeId::of::<One>, 7);
    let error = Registry::new([&ONE_A, &ONE_C]).unwrap_err();
    let RegistryError::Function { places, .. } = &error else { panic!("{error}") };
    assert_eq!(*places, ("src/counter.rs:25".to_owned(), "src/counter.rs:26".to_owned()));
    assert!(error.to_string().contains("#[rpc(name = \"..\")]"));
}

#[test]
fn equal_interface_ids_are_refused() {
    // Two traits of one name in two functions of one module.
    static OTHER: Interface = interface("a", None, &[], 44);
    static ONE_OTHER: Registration = registration(&OTHER, WorkerTypeId::of::<Two>, 7);
    let error = Registry::new([&ONE_A, &ONE_OTHER]).unwrap_err();
    let RegistryError::Interface { places, .. } = &error else { panic!("{error}") };
    assert_eq!(*places, ("src/counter.rs:4".to_owned(), "src/counter.rs:44".to_owned()));
}

#[test]
fn instances_of_a_generic_trait_are_one_interface() {
    static SAME: Interface = interface("a", None, &[function("a", None, 5)], 4);
    static TWO_SAME: Registration = registration(&SAME, WorkerTypeId::of::<Two>, 8);
    assert!(Registry::new([&ONE_A, &TWO_SAME]).is_ok());
}

#[test]
fn the_digest_tells_builds_apart_and_not_orders() {
    let digest = Registry::new([&ONE_A, &ONE_B]).unwrap().digest();
    assert_eq!(digest, Registry::new([&ONE_B, &ONE_A]).unwrap().digest());
    assert_ne!(digest, Registry::new([&ONE_A]).unwrap().digest());
    assert_ne!(digest, Registry::new([&ONE_A, &ONE_B, &TWO_A]).unwrap().digest());
}
