//! Builds of the generated programs.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Where the wrapped compiler writes the expanded program.
const EXPANDED: &str = "COMPILE_COST_EXPANDED";

/// A program, and the crate that it is built as.
pub(crate) struct Crate {
    name: &'static str,
    program: PathBuf,
}

impl Crate {
    pub(crate) fn new(name: &'static str, file: &str, text: &str) -> Self {
        let directory = Path::new(ROOT).join("target/programs");
        fs::create_dir_all(&directory).expect("a directory below target");
        let program = directory.join(file).with_extension("rs");
        fs::write(&program, text).expect("a file below target");
        Self { name, program }
    }

    /// Seconds of CPU time to check this crate alone, from nothing.
    pub(crate) fn check(&self) -> f64 {
        self.touch();
        timed(self.cargo("check"))
    }

    /// Seconds of CPU time to build it, if what it depends on is there, and the size of the program with and without symbols.
    pub(crate) fn build(&self) -> (f64, u64, u64) {
        self.touch();
        let mut build = self.cargo("build");
        build.arg("--release");
        let seconds = timed(build);
        let built = Path::new(ROOT).join("target/release").join(self.name);
        let stripped = built.with_extension("stripped");
        run(Command::new("strip").arg("-o").arg(&stripped).arg(&built));
        let size = |path: &Path| path.metadata().expect("it was just built").len();
        (seconds, size(&built), size(&stripped))
    }

    /// The lines of the program once all macros are expanded.
    pub(crate) fn expanded_lines(&self) -> usize {
        self.touch();
        let file = self.program.with_extension("expanded");
        // The crate alone is compiled by this wrapper: the variable that allows unstable options would have others rebuilt.
        let wrapper = env::current_exe().expect("this program has a path");
        run(self.cargo("check").env("RUSTC_WORKSPACE_WRAPPER", wrapper).env(EXPANDED, &file));
        fs::read_to_string(&file).expect("the wrapper has written it").lines().count()
    }

    fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args([command, "--quiet", "--locked", "--package", self.name]).current_dir(ROOT);
        cargo.env("PROGRAM", &self.program).env("CARGO_INCREMENTAL", "0").env("CARGO_TARGET_DIR", "target");
        cargo
    }

    fn touch(&self) {
        let main = Path::new(ROOT).join(self.name).join("src/main.rs");
        let text = fs::read(&main).expect("the crate is there");
        fs::write(&main, text).expect("the crate is ours");
    }
}

/// If this process was started in place of the compiler: shows what the compiler makes of the macros.
pub(crate) fn expanded_as_a_wrapper() -> bool {
    let Some(file) = env::var_os(EXPANDED) else { return false };
    let mut args = env::args_os().skip(1);
    let mut compiler = Command::new(args.next().expect("the compiler"));
    compiler.args(args);
    // What cargo asks of the compiler itself is answered by it.
    if env::var_os("CARGO_CRATE_NAME").is_some() {
        compiler.env("RUSTC_BOOTSTRAP", "1").arg("-Zunpretty=expanded");
        compiler.stdout(fs::File::create(file).expect("a file below target"));
    }
    run(&mut compiler);
    true
}

/// Seconds of CPU time: what else the machine does changes them little.
fn timed(mut command: Command) -> f64 {
    let before = ticks_of_children();
    run(&mut command);
    (ticks_of_children() - before) / 100.0
}

/// `/proc/self/stat`, see proc(5): what children that have ended have used, in hundredths of a second.
fn ticks_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc is mounted");
    let fields = stat.rsplit_once(')').expect("a name in parentheses").1.split_whitespace();
    fields.skip(13).take(2).map(|ticks| ticks.parse::<f64>().expect("a number")).sum()
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "{command:?}: {status:?}");
}
