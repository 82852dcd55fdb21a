//! What must be true of the project itself.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

/// The root of the project.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn run(program: &str, args: &[&str]) -> Output {
    let output = Command::new(program).args(args).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// No dependency of the library needs a newer Rust than the library states, by the dependency's own word. Newer parts of
/// the standard library in our own code are clippy's `incompatible_msrv`; newer syntax cannot be told without that
/// toolchain.
#[test]
fn dependencies_build_with_the_stated_rust() {
    let rustc = String::from_utf8(run("rustc", &["-vV"]).stdout).unwrap();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Of other systems' dependencies nothing may be here yet.
    let args = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    let output = run(env!("CARGO"), &args);
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = |id: &Value| packages.iter().find(|package| package["id"] == *id).unwrap();
    let version = |package: &Value| -> Option<Vec<u32>> {
        Some(package["rust_version"].as_str()?.split('.').map(|part| part.parse().unwrap()).collect())
    };
    let library = packages.iter().find(|package| package["name"] == "rpc-parallel").unwrap();
    let stated = version(library).unwrap();
    let mut seen = BTreeSet::from([library["id"].as_str().unwrap()]);
    let mut queue = vec![&library["id"]];
    while let Some(id) = queue.pop() {
        let node = metadata["resolve"]["nodes"].as_array().unwrap().iter().find(|node| node["id"] == *id).unwrap();
        for dependency in node["deps"].as_array().unwrap() {
            let normal = dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
            let id = &dependency["pkg"];
            if normal && seen.insert(id.as_str().unwrap()) {
                let package = package(id);
                let needed = version(package).unwrap_or_default();
                assert!(needed <= stated, "{} needs Rust {needed:?}, stated is {stated:?}", package["name"]);
                queue.push(id);
            }
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
    // People are told the same number.
    let text = stated.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    for file in ["README.md", "rpc-parallel/src/lib.rs"] {
        let said = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        assert!(said.contains(&format!("Rust {text} or later")), "{file} states another version than {text}");
    }
}

/// Every page's links to files of the project lead somewhere.
#[test]
fn links_lead_somewhere() {
    let root = Path::new(ROOT);
    let mut pages = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    let mut links = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            links += 1;
            assert!(page.parent().unwrap().join(path).exists(), "{} links to {link}", page.display());
        }
    }
    assert!(links > 5, "{links}");
}
