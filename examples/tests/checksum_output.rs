//! `checksum` agrees with find, sort and sha256sum.

mod common;

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::Read,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{PermissionsExt, symlink},
    },
    path::Path,
    process::Command,
    thread,
};

use common::{Ended, Run};
use rustix::{
    fs::{CWD, FileType, Mode},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use tempfile::TempDir;

const CHECKSUM: &str = env!("CARGO_BIN_EXE_checksum");

/// What the tools print for these paths, in this directory.
fn expected(directory: &Path, paths: &[&OsStr]) -> Vec<u8> {
    let script = r#"find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum"#;
    let output = Command::new("sh").args(["-c", script, "sh"]).args(paths).current_dir(directory).output().unwrap();
    output.stdout
}

fn checksum(directory: &Path, workers: &str, paths: &[&OsStr]) -> Ended {
    let args = ["--workers", workers].map(OsStr::new).into_iter().chain(paths.iter().copied());
    Run::start_with(CHECKSUM, args, |command| {
        command.current_dir(directory);
    })
    .end()
}

#[track_caller]
fn assert_same(found: &[u8], expected: &[u8]) {
    let difference = found.split(|b| *b == b'\n').zip(expected.split(|b| *b == b'\n')).find(|(a, b)| a != b);
    if let Some((found, expected)) = difference {
        panic!("{:?} is not {:?}", String::from_utf8_lossy(found), String::from_utf8_lossy(expected));
    }
    assert_eq!(found.len(), expected.len());
}

/// Names that are hard to sort, to print or to encode, and things that are no regular files.
fn odd_tree() -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    let names: [&[u8]; 14] = [
        b"plain",
        b"a b",
        b"a",
        b"a-b",
        b"a.b",
        b"tab\there",
        b"line\nbreak",
        b"return\rhere",
        b"back\\slash",
        b"\xff\xfe not utf-8",
        "\u{fc}ml\u{e4}ut".as_bytes(),
        b"-dash",
        b"*",
        b"'\"$(x)",
    ];
    let directories = ["", "d", "d/a", "d-", "d.d", "e\\e"].map(|name| tree.path().join(name));
    for directory in &directories {
        fs::create_dir_all(directory).unwrap();
    }
    for directory in directories {
        for name in names {
            let path = directory.join(OsStr::from_bytes(name));
            if !path.is_dir() {
                fs::write(&path, path.as_os_str().as_bytes()).unwrap();
            }
        }
        fs::write(directory.join("empty"), "").unwrap();
        symlink("plain", directory.join("link")).unwrap();
        symlink("nowhere", directory.join("dangling")).unwrap();
        let fifo = directory.join("fifo");
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }
    symlink("d", tree.path().join("to-d")).unwrap();
    // Larger than a read, and than a batch.
    fs::write(tree.path().join("large"), vec![7; 5 << 20]).unwrap();
    fs::create_dir(tree.path().join("nothing")).unwrap();
    tree
}

#[test]
fn a_tree_with_odd_names() {
    let tree = odd_tree();
    let cases: &[&[&str]] = &[
        &["."],
        &["./"],
        &["d"],
        &["d/"],
        &["d//", "d", "d/"],
        &["d", "d-", "d.d", "."],
        &["plain", "plain", "./plain", ".//plain"],
        &["link", "fifo", "to-d", "nothing"],
        &["to-d/", "to-d/link"],
        &["/dev/null"],
    ];
    for case in cases {
        let paths: Vec<&OsStr> = case.iter().map(OsStr::new).collect();
        for workers in ["1", "2", "16"] {
            let ended = checksum(tree.path(), workers, &paths);
            assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
            assert_same(&ended.stdout, &expected(tree.path(), &paths));
        }
    }
}

#[test]
fn a_real_tree() {
    let root = OsStr::new("/usr/share/doc");
    let expected = expected(Path::new("/"), &[root]);
    assert!(!expected.is_empty());
    for workers in ["1", "2", "16"] {
        let ended = checksum(Path::new("/"), workers, &[root]);
        assert_eq!(ended.stderr, "");
        assert_same(&ended.stdout, &expected);
    }
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_printed() {
    let tree = odd_tree();
    // A regular file that every read of fails, for root too.
    let unreadable = format!("/proc/{}/mem", std::process::id());
    let missing = OsString::from_vec(b"miss\xffing\n".to_vec());
    let paths = [OsStr::new("d"), &missing, OsStr::new(&unreadable), OsStr::new("plain/"), OsStr::new("a")];
    let ended = checksum(tree.path(), "2", &paths);
    assert_eq!(ended.status.code(), Some(1));
    assert_same(&ended.stdout, &expected(tree.path(), &[OsStr::new("d"), OsStr::new("a")]));
    let mut lines: Vec<&str> = ended.stderr.lines().collect();
    lines.sort_unstable();
    let expected = [
        format!("checksum: \"{unreadable}\": "),
        r#"checksum: "miss\xFFing\n": No such file or directory"#.to_owned(),
        r#"checksum: "plain/": Not a directory"#.to_owned(),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    assert!(lines.iter().zip(expected).all(|(line, start)| line.starts_with(&start)), "{lines:?}");
}

#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_printed() {
    if rustix::process::geteuid().is_root() {
        // Root may read everything.
        return;
    }
    let tree = odd_tree();
    for (path, mode) in [("d/a", 0o000), ("d-/plain", 0o000)] {
        fs::set_permissions(tree.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let ended = checksum(tree.path(), "2", &[OsStr::new(".")]);
    let expected = expected(tree.path(), &[OsStr::new(".")]);
    fs::set_permissions(tree.path().join("d/a"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
    assert_same(&ended.stdout, &expected);
}

/// The bar is for people: it is drawn on a terminal, and leaves what is printed alone. That nothing is drawn elsewhere is in
/// every other test, where stderr is a file and stays empty.
#[test]
fn a_terminal_gets_a_progress_bar() {
    let tree = odd_tree();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let side = File::options().read(true).write(true).open(OsStr::from_bytes(name.to_bytes())).unwrap();
    // A new terminal has no size, and so no room for a bar.
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    let run = Run::start_with(CHECKSUM, ["--workers", "2", "."], |command| {
        command.current_dir(tree.path()).stderr(side).env("TERM", "xterm").env_remove("NO_COLOR");
    });
    let shown = thread::spawn(move || {
        let (mut shown, mut terminal) = (Vec::new(), File::from(terminal));
        // It ends with an error, once nobody has the other side open.
        let _ = terminal.read_to_end(&mut shown);
        String::from_utf8_lossy(&shown).into_owned()
    });
    let ended = run.end();
    let shown = shown.join().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_same(&ended.stdout, &expected(tree.path(), &[OsStr::new(".")]));
    assert!(shown.contains("MiB"), "{shown:?}");
}

#[test]
fn arguments() {
    let run = |args: &[&str]| Run::start(CHECKSUM, args).end();
    let wrong: &[&[&str]] = &[
        &[],
        &["--workers"],
        &["--workers", "0", "."],
        &["--workers=x", "."],
        &["--wrong", "."],
        &["--workers", "2"],
    ];
    for args in wrong {
        let ended = run(args);
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        assert!(ended.stdout.is_empty() && ended.stderr.contains("usage: checksum"), "{ended:?}");
    }
    assert!(run(&["--help"]).text().starts_with("usage: checksum"));

    let tree = odd_tree();
    let ended = checksum(tree.path(), "1", &[OsStr::new("--"), OsStr::new("-dash")]);
    assert!(ended.text().ends_with("  -dash\n"));
}
