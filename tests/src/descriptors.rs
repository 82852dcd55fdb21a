//! The open descriptors of this process.

use std::{collections::BTreeSet, fs};

/// Each open descriptor and what it leads to.
///
/// # Panics
///
/// If `/proc` is not mounted.
pub fn descriptors() -> BTreeSet<(i32, String)> {
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let number = entry.file_name().to_str()?.parse().ok()?;
            // The descriptor of this very listing is closed by the time that the link is read, or leads back here.
            let target = fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
            (!target.starts_with("/proc/")).then_some((number, target))
        })
        .collect()
}
