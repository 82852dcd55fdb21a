//! What a process has: taken before a test and compared after it.

use std::{collections::BTreeSet, fs, time::Duration};

use crate::{Process, descriptors, wait_until};

/// The children, descriptors, threads and temporary files of this process.
#[derive(Debug, Eq, PartialEq)]
#[must_use = "a census is compared with a later one"]
pub struct Census {
    children: BTreeSet<Process>,
    descriptors: BTreeSet<(i32, String)>,
    threads: Vec<String>,
    files: BTreeSet<String>,
}

impl Census {
    /// Counts.
    pub fn take() -> Self {
        Self {
            children: Process::me().children().into_iter().collect(),
            descriptors: descriptors(),
            threads: threads(),
            files: files(),
        }
    }

    /// Whether this process has no child, nor anything that watches one.
    pub fn is_idle(&self) -> bool {
        self.children.is_empty() && !self.descriptors.iter().any(|(_, target)| target == "anon_inode:[pidfd]")
    }

    /// Fails if something has come or gone. What is ending gets a moment for it.
    ///
    /// # Panics
    ///
    /// If something was left behind.
    pub fn assert_unchanged(&self) {
        let mut now = Self::take();
        let settled = wait_until(LIMIT, || {
            now = Self::take();
            now == *self
        });
        assert!(settled, "something was left behind\nbefore: {self:#?}\nafter: {now:#?}");
    }
}

/// The threads of the library. The test harness and the test's own runtime start and end others whenever they like.
fn threads() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim_end().to_owned())
        .filter(|name| name.starts_with("rpc-parallel"))
        .collect();
    names.sort();
    names
}

/// The library's files. Other programs use the same directory.
fn files() -> BTreeSet<String> {
    fs::read_dir(std::env::temp_dir())
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("rpc-parallel-"))
        .collect()
}

/// Longer than the death of any child should take, also on a loaded machine.
const LIMIT: Duration = Duration::from_secs(10);
