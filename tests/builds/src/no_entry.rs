//! A main that is no entry.

fn main() {
    builds::spawn_one();
}
