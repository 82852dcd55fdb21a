//! The `const` hash behind every stable id.

use xxhash_rust::const_xxh3::Xxh3;

/// Hashes `parts` with a separator between them, so that `["ab", "c"]` and `["a", "bc"]` differ.
///
/// xxh3 with 64 bits: its output is fixed by the algorithm's specification, so an id is the same in
/// every build, on every machine.
pub(crate) const fn hash_parts(parts: &[&str]) -> u64 {
    let mut hasher = Xxh3::new();
    let mut index = 0;
    while index < parts.len() {
        hasher.update(parts[index].as_bytes());
        // 0xff never occurs in UTF-8.
        hasher.update(&[0xff]);
        index += 1;
    }
    hasher.digest()
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
        const PINNED: u64 = hash_parts(&["my_crate", "counter", "Counter", "add"]);
        assert_eq!(PINNED, xxhash_rust::xxh3::xxh3_64(b"my_crate\xffcounter\xffCounter\xffadd\xff"));
    }
}
