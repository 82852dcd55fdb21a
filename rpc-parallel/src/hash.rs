//! The `const` hash behind every stable id.

use xxhash_rust::const_xxh3::xxh3_64_with_seed;

/// Hashes `parts` one after the other, each seeded with the hash of those before it, so that `["ab", "c"]` and
/// `["a", "bc"]` differ.
///
/// xxh3 with 64 bits: its output is fixed by the algorithm's specification, so an id is the same in every build, on
/// every machine.
pub(crate) const fn hash_parts(parts: &[&str]) -> u64 {
    let mut hash = 0;
    let mut index = 0;
    while index < parts.len() {
        hash = xxh3_64_with_seed(parts[index].as_bytes(), hash);
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_separated() {
        assert_ne!(hash_parts(&["ab", "c"]), hash_parts(&["a", "bc"]));
        assert_ne!(hash_parts(&["a"]), hash_parts(&["a", ""]));
    }

    #[test]
    fn the_algorithm_is_pinned() {
        const PINNED: u64 = hash_parts(&["counter"]);
        assert_eq!(PINNED, xxhash_rust::xxh3::xxh3_64(b"counter"));
    }
}
