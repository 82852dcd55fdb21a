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
        // In one piece rather than byte by byte: each spawn needs it.
        let mut text = [b'-'; 36];
        let parts = [0..8, 9..13, 14..18, 19..23, 24..36].into_iter().flatten();
        for (place, digit) in parts.zip(self.0.iter().flat_map(|byte| [byte >> 4, byte & 15])) {
            text[place] = b"0123456789abcdef"[usize::from(digit)];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_worker_id() {
        let id = WorkerId(std::array::from_fn(|index| (index * 17) as u8));
        assert_eq!(id.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    }
}
