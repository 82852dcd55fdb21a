//! The misuse rules: every file beside this folder breaks one, and its `.stderr` is what the compiler says.
//!
//! Each begins with two lines of comment: the rule, and what to write instead. `docs/misuse.md` is made of them all.
//!
//! - `TRYBUILD=overwrite cargo test -p rpc-parallel-tests --test compile_fail` writes the `.stderr` files.
//! - `UPDATE_DOCS=1 cargo test -p rpc-parallel-tests --test compile_fail` writes the page.

mod page;
mod rules;

use std::{
    fs,
    io::{self, Write},
    process::Command,
};

/// The compiler whose words the `.stderr` files are: others word some errors otherwise.
const RUSTC: &str = "rustc 1.95.";

#[test]
#[cfg_attr(not(pinned_rustc), ignore = "the .stderr files are of rustc 1.95, and this is another")]
fn every_misuse_is_refused() {
    let rustc = version();
    if !rustc.starts_with(RUSTC) {
        // Past the capture of the test's output, for whoever asks for ignored tests.
        let _ = writeln!(io::stderr(), "SKIPPED: the .stderr files are of {RUSTC}*, and this is {rustc}");
        return;
    }
    trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
}

#[test]
fn every_rule_says_what_to_write_instead() {
    let rules = rules::all();
    assert!(rules.len() >= 25, "{} rules", rules.len());
    for rule in &rules {
        assert!(rule.sentences.len() == 2, "{}: the rule and what to write instead, on two lines", rule.name);
        assert!(rule.sentences.iter().all(|line| line.ends_with('.')), "{}: two sentences", rule.name);
        let error = &rule.error;
        assert!(error.contains("compile_fail/"), "{}: an error at a place in the file", rule.name);
        let is_path = |word: &str| {
            let rest = word.trim_start_matches(['`', '(']).strip_prefix('/');
            rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic()))
        };
        assert!(!error.split_whitespace().any(is_path), "{}: a path of one machine", rule.name);
    }
}

/// One mistake is one error. Those with more are listed, so that none is added without notice.
#[test]
fn one_mistake_is_one_error() {
    let more = [
        // serde's own two sentences, one for each direction.
        ("init_argument_not_serialize", 2),
        // No client and no handlers: the second says why.
        ("no_attribute_on_the_trait", 2),
    ];
    for rule in rules::all() {
        let expected = more.iter().find(|(name, _)| *name == rule.name).map_or(1, |(_, count)| *count);
        let errors = rule.error.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, expected, "{}", rule.name);
    }
}

#[test]
fn the_page_is_current() {
    let path = rules::folder().join("../../docs/misuse.md");
    let page = page::page(&rules::all());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        written == page,
        "docs/misuse.md is not current: UPDATE_DOCS=1 cargo test -p rpc-parallel-tests --test compile_fail"
    );
}

/// `rustc 1.95.0 (...)`, of the compiler that cargo uses here.
fn version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-V").output().expect("`rustc -V` runs wherever its tests do");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
