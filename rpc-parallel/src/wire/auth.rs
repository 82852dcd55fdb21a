//! How two sides that share a key prove it to each other.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A key that both sides were given beforehand. Never printed.
#[derive(Clone, Copy)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// A key of these bytes.
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The proof of the side in this role. Both Hellos are in it, and so both nonces: no proof can be used twice. The
    /// role is in it, so that a side cannot be made to answer itself.
    pub(crate) fn prove(&self, role: Role, hellos: [&[u8]; 2]) -> Proof {
        Proof(self.mac(role, hellos).finalize().into_bytes().into())
    }

    /// Whether this is the proof of the side in this role. The time that it takes does not depend on the proof.
    pub(crate) fn verify(&self, role: Role, hellos: [&[u8]; 2], proof: &Proof) -> bool {
        self.mac(role, hellos).verify_slice(&proof.0).is_ok()
    }

    fn mac(&self, role: Role, [initiator, acceptor]: [&[u8]; 2]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length is accepted");
        mac.update(LABEL);
        mac.update(&[role as u8]);
        // A Hello says how long it is, so the two cannot be taken for another two.
        mac.update(initiator);
        mac.update(acceptor);
        mac
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What a side sends to show that it has the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof(pub(super) [u8; 32]);

/// Whose proof it is.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Role {
    /// That of the side that connected.
    Initiator = b'I',
    /// That of the side that was connected to.
    Acceptor = b'A',
}

/// Keeps these proofs apart from all other uses of the key.
const LABEL: &[u8] = b"rpc-parallel handshake 1\0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_one_key_one_role_and_one_pair_of_hellos() {
        let key = Key::new([7; 32]);
        let proof = key.prove(Role::Initiator, [b"a", b"b"]);
        assert!(key.verify(Role::Initiator, [b"a", b"b"], &proof));
        assert!(!key.verify(Role::Acceptor, [b"a", b"b"], &proof));
        assert!(!key.verify(Role::Initiator, [b"b", b"a"], &proof));
        assert!(!Key::new([8; 32]).verify(Role::Initiator, [b"a", b"b"], &proof));
        assert_eq!(format!("{key:?}"), "Key(..)");
    }
}
