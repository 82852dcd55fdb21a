//! `docs/conformance.md` says the truth about which scenario is tested where.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The root of the project.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// What the table says of each scenario: the tests that it names as `path::name`, or why there is none.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join("docs/conformance.md")).unwrap();
    let mut rows = BTreeMap::new();
    let mut last = 0;
    for line in text.lines().filter(|line| line.starts_with("| C")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, meaning, status] = cells[..] else { panic!("not three cells: {line}") };
        let number: u32 = id.strip_prefix('C').unwrap().parse().unwrap();
        assert_eq!(number, last + 1, "out of order, missing or twice: {line}");
        last = number;
        assert!(!meaning.is_empty(), "{line}");
        let tests: Vec<String> = status.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let reason = ["later: ", "does not apply: "].iter().any(|start| status.starts_with(start));
        assert!(reason || !tests.is_empty(), "neither a test nor a reason: {line}");
        rows.insert(id.to_lowercase(), if reason { Vec::new() } else { tests });
    }
    assert_eq!(last, 175);
    rows
}

/// All functions of the sources that are named after a scenario, as `path::name`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut directories = vec![PathBuf::from("tests"), PathBuf::from("rpc-parallel/src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(root().join(&directory)).unwrap() {
            let entry = entry.unwrap();
            let path = directory.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(entry.path()).unwrap();
                let names = text.lines().filter_map(function).filter(|name| scenario(name).is_some());
                found.extend(names.map(|name| format!("{}::{name}", path.display())));
            }
        }
    }
    found
}

/// The name of the function whose head the line is.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn "))?;
    rest.split(['(', '<']).next()
}

/// `c001` of `c001_sum`.
fn scenario(name: &str) -> Option<&str> {
    let (head, _) = name.split_once('_')?;
    let digits = head.strip_prefix('c')?;
    (digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(head)
}

#[test]
fn the_table_is_complete_and_true() {
    let (rows, tests) = (table(), tests());
    let listed: BTreeSet<&String> = rows.values().flatten().collect();
    for test in &listed {
        assert!(tests.contains(*test), "docs/conformance.md names {test}, which does not exist");
    }
    for test in &tests {
        let id = scenario(test.rsplit_once("::").unwrap().1).unwrap();
        assert!(
            rows.get(id).is_some_and(|named| named.contains(test)),
            "docs/conformance.md does not name {test} in the row of {}",
            id.to_uppercase()
        );
    }
}

#[test]
fn names_are_recognised() {
    assert_eq!(function("    async fn c001_sum() {").and_then(scenario), Some("c001"));
    assert_eq!(function("fn c175_credentials<T>() {").and_then(scenario), Some("c175"));
    assert_eq!(function("fn cancel_x() {").and_then(scenario), None);
    assert_eq!(function("// fn c001_sum() {"), None);
}
