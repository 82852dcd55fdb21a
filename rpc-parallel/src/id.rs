//! Identities: newtypes with a printable form.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash::hash_parts;

macro_rules! hashed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub struct $name(u64);

        impl $name {
            /// The id with exactly this value, for ids that come from elsewhere.
            pub const fn from_raw(raw: u64) -> Self {
                Self(raw)
            }

            /// The 64 bits of the id.
            pub const fn raw(self) -> u64 {
                self.0
            }

            /// The id of a path, whose parts are hashed one by one.
            pub const fn of_path(parts: &[&str]) -> Self {
                Self(hash_parts(parts))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }
    };
}

hashed_id! {
    /// Names one function of one worker trait on the wire: a hash of its crate, module path, trait and method, or
    /// of the name given by `#[rpc(name = "..")]`.
    FunctionId
}

hashed_id! {
    /// Names a worker trait: a hash of its module path and name, or of the name given by `#[worker(name = "..")]`.
    InterfaceId
}

hashed_id! {
    /// Names the type that a worker is made of: a hash of the type's path.
    WorkerTypeId
}

impl WorkerTypeId {
    /// The id of the type `T`.
    pub fn of<T: ?Sized>() -> Self {
        Self::of_path(&["type", std::any::type_name::<T>()])
    }
}

/// Identifies one running worker among all that ever were: 128 random bits, chosen when it is spawned or served.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct WorkerId([u8; 16]);

impl WorkerId {
    /// The id that addresses any worker: what a client that was not told one asks for.
    pub const ANY: Self = Self([0; 16]);

    /// Makes an id from its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkerId({self})")
    }
}

/// Numbers a call within its connection and its caller. Numbers are reused once a call is over.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct CallId(pub(crate) u32);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Identifies a build of a program: two processes with the same build id run the same code.
#[derive(Clone, Copy, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct BuildId([u8; 16]);

impl BuildId {
    /// Makes an id from its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildId({self})")
    }
}
