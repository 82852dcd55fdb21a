//! Reads the rules.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A rule: a file that breaks it, and what the compiler says of that.
pub(crate) struct Rule {
    /// The file's name without its extension.
    pub(crate) name: String,
    /// The comment at its top: the rule, and what to write instead.
    pub(crate) sentences: Vec<String>,
    /// What follows, without the `fn main() {}` that only the compiler needs.
    pub(crate) code: String,
    /// What the compiler says.
    pub(crate) error: String,
}

/// All rules, by name.
pub(crate) fn all() -> Vec<Rule> {
    let mut rules: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| rule(&path))
        .collect();
    rules.sort_by(|left, right| left.name.cmp(&right.name));
    rules
}

/// Where they are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compile_fail")
}

fn rule(path: &Path) -> Rule {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let source = text(path);
    let sentences: Vec<_> = source.lines().map_while(|line| line.strip_prefix("//! ")).map(str::to_owned).collect();
    let code: Vec<_> = source.lines().skip(sentences.len()).collect();
    let code = code.join("\n");
    let code = code.trim().trim_end_matches("fn main() {}").trim_end();
    Rule { name, sentences, code: code.to_owned(), error: text(&path.with_extension("stderr")) }
}

fn text(path: &Path) -> String {
    match fs::read_to_string(path) {
        Ok(text) => text.replace("\r\n", "\n"),
        Err(error) => panic!("{}: {error}", path.display()),
    }
}
