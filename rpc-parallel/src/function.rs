//! What the macro writes down about a worker trait: its [`Interface`] and the [`Function`]s in it.

use crate::{FunctionId, InterfaceId};

/// How the worker runs a function.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FunctionKind {
    /// An `async fn`: a task of the worker's runtime.
    Call,
    /// A plain `fn`: it may compute or block, and runs on the blocking pool.
    Blocking,
    /// A plain `fn` under `#[rpc(inline)]`: cheap, and runs on the connection's own task.
    Inline,
    /// `#[rpc(one_way)]`: sent, never answered.
    OneWay,
}

/// One function of a worker trait.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Function {
    /// Its name on the wire.
    pub id: FunctionId,
    /// `module::Trait::method`.
    pub name: &'static str,
    /// How the worker runs it.
    pub kind: FunctionKind,
    /// How many streams go from the caller to the worker.
    pub uploads: u8,
    /// Whether a stream comes back.
    pub download: bool,
    /// A hash of the kind and of the types as they are written, without the arguments' names.
    pub signature: u64,
    /// Its line in the [source file of the trait](Interface::file), from 1.
    pub line: u32,
}

/// What an expansion says of a function; [`Function::new`] makes one of it.
#[derive(Clone, Copy, Debug)]
pub struct FunctionParts {
    /// Module, trait and method: hashed into the id unless `pinned` is there.
    pub path: [&'static str; 3],
    /// `#[rpc(name = "..")]`.
    pub pinned: Option<&'static str>,
    /// `module::Trait::method`.
    pub name: &'static str,
    /// See [`Function::kind`].
    pub kind: FunctionKind,
    /// See [`Function::uploads`].
    pub uploads: u8,
    /// See [`Function::download`].
    pub download: bool,
    /// See [`Function::signature`].
    pub signature: u64,
    /// See [`Function::line`].
    pub line: u32,
}

impl Function {
    /// The descriptor of a method. Its id is `FunctionId::of_path(&["function", module, trait, method])`, or
    /// `FunctionId::of_path(&["name", pinned])`.
    pub const fn new(parts: FunctionParts) -> Self {
        let [module, interface, method] = parts.path;
        let id = match parts.pinned {
            Some(name) => FunctionId::of_path(&["name", name]),
            None => FunctionId::of_path(&["function", module, interface, method]),
        };
        Self {
            id,
            name: parts.name,
            kind: parts.kind,
            uploads: parts.uploads,
            download: parts.download,
            signature: parts.signature,
            line: parts.line,
        }
    }

    /// The one at `index`, which must be there.
    #[inline(always)]
    pub const fn at(functions: &'static [Self], index: usize) -> &'static Self {
        &functions[index]
    }
}

/// A worker trait, as its clients and its implementations know it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Interface {
    /// Its name on the wire.
    pub id: InterfaceId,
    /// `module::Trait`.
    pub name: &'static str,
    /// Its functions, in the order of the trait.
    pub functions: &'static [Function],
    /// The source file of the trait.
    pub file: &'static str,
    /// Its line, from 1.
    pub line: u32,
}

impl Interface {
    /// The descriptor of a trait. Its id is `InterfaceId::of_path(&["interface", module, trait])`, or
    /// `InterfaceId::of_path(&["name", pinned])` with `#[worker(name = "..")]`.
    pub const fn new(
        path: [&'static str; 2],
        pinned: Option<&'static str>,
        name: &'static str,
        functions: &'static [Function],
        place: (&'static str, u32),
    ) -> Self {
        let [module, interface] = path;
        let id = match pinned {
            Some(name) => InterfaceId::of_path(&["name", name]),
            None => InterfaceId::of_path(&["interface", module, interface]),
        };
        Self { id, name, functions, file: place.0, line: place.1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn function(pinned: Option<&'static str>) -> Function {
        Function::new(FunctionParts {
            path: ["my_crate::workers", "Counter", "add"],
            pinned,
            name: "my_crate::workers::Counter::add",
            kind: FunctionKind::Call,
            uploads: 0,
            download: false,
            signature: 0,
            line: 1,
        })
    }

    /// These values are on the wire: a change makes strangers of two builds.
    #[test]
    fn ids_are_pinned() {
        const ADD: Function = function(None);
        assert_eq!(ADD.id.to_string(), "22e85a4d70bb7050");
        assert_eq!(function(Some("counter.add")).id.to_string(), "45b34cb27e5c51db");
        let interface = Interface::new(["my_crate::workers", "Counter"], None, "", &[], ("", 1));
        assert_eq!(interface.id.to_string(), "d975a7cb62480c50");
        assert_eq!(
            Interface::new(["", ""], Some("counter"), "", &[], ("", 1)).id,
            InterfaceId::of_path(&["name", "counter"])
        );
    }
}
