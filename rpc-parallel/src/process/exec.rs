//! What a child runs, and its start.

use std::{
    ffi::OsString,
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::PathBuf,
    process::Command,
};

use rustix::process::Pid;

use super::redirect::Output;

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_pointer_width = "64"))]
mod vfork;

/// What a child runs, in a process group of its own.
#[derive(Debug)]
pub(super) struct Exec {
    /// An absolute path.
    pub(super) program: PathBuf,
    /// The first one is what it finds as its own name.
    pub(super) arg0: OsString,
    pub(super) args: Vec<OsString>,
    /// Added to our own environment; the last of several with the same name counts.
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) directory: Option<PathBuf>,
    pub(super) stdin: OwnedFd,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
}

/// A process that nobody has waited for.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) pid: Pid,
    /// A descriptor of it, where it is to be had for nothing.
    pub(super) pidfd: Option<OwnedFd>,
}

impl Exec {
    /// Starts it, and returns once it runs.
    pub(super) fn start(self) -> io::Result<Executed> {
        #[cfg(all(target_os = "linux", target_arch = "x86_64", target_pointer_width = "64"))]
        if let Some(executed) = vfork::start(&self) {
            return executed;
        }
        self.start_with_std()
    }

    fn start_with_std(self) -> io::Result<Executed> {
        // What std spawns this way goes through posix_spawn, which copies no page tables: nothing here may need a fork.
        let mut command = Command::new(&self.program);
        command.arg0(&self.arg0).args(&self.args).envs(self.env).process_group(0);
        command.stdin(self.stdin).stdout(self.stdout).stderr(self.stderr);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let child = command.spawn()?;
        Ok(Executed { pid: Pid::from_child(&child), pidfd: None })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::process::{WaitOptions, waitpid};

    use super::*;

    type Way = fn(Exec) -> io::Result<Executed>;
    const WAYS: [Way; 2] = [Exec::start, Exec::start_with_std];

    fn shell(script: &str, stdout: Output) -> Exec {
        Exec {
            program: "/bin/sh".into(),
            arg0: "its name".into(),
            args: ["-c".into(), script.into(), "first".into(), "second \u{e9}".into()].into(),
            env: [("VARIABLE", "one"), ("HOME", "/nowhere"), ("VARIABLE", "two")]
                .map(|(a, b)| (a.into(), b.into()))
                .into(),
            directory: Some("/usr".into()),
            stdin: fs::File::open("/proc/self/status").unwrap().into(),
            stdout,
            stderr: Output::Null,
        }
    }

    fn ended(executed: &Executed) -> Option<i32> {
        waitpid(Some(executed.pid), WaitOptions::empty()).unwrap().unwrap().1.exit_status()
    }

    /// What a program sees of itself is the same, whichever way it was started.
    #[test]
    fn both_ways_are_alike() {
        // Two signals are the C library's own, which some ignore for the child.
        let script = "echo $0 $1 $2 $VARIABLE $HOME; pwd; env | sort | grep -v ^_; readlink /proc/$$/fd/2; \
                      grep ^SigBlk /proc/self/status; \
                      sed -n 's/^SigIgn:\t\\(.......\\)..\\(.......\\)$/ignored \\1 \\2/p' /proc/self/status; \
                      head -c 5; ulimit -n; ls /proc/$$/fd; \
                      [ $(cut -d ' ' -f 5 /proc/$$/stat) = $$ ] && echo leads; exit 7";
        let seen = WAYS.map(|way| {
            let (mut reader, writer) = io::pipe().unwrap();
            let executed = way(shell(script, Output::File(OwnedFd::from(writer).into()))).unwrap();
            let mut seen = String::new();
            io::Read::read_to_string(&mut reader, &mut seen).unwrap();
            assert_eq!(ended(&executed), Some(7));
            seen
        });
        assert!(seen[0].contains("first second \u{e9} two /nowhere\n/usr\n"), "{}", seen[0]);
        assert!(seen[0].contains("/dev/null\n") && seen[0].contains("\nleads\n"), "{}", seen[0]);
        assert_eq!(seen[0], seen[1]);
    }

    #[test]
    fn both_ways_fail_alike() {
        let kind = |way: Way, change: &dyn Fn(&mut Exec)| {
            let mut exec = shell("exit 0", Output::Inherit);
            change(&mut exec);
            way(exec).unwrap_err().kind()
        };
        for way in WAYS {
            assert_eq!(kind(way, &|exec| exec.program = "/does/not/exist".into()), io::ErrorKind::NotFound);
            assert_eq!(kind(way, &|exec| exec.program = "/usr".into()), io::ErrorKind::PermissionDenied);
            assert_eq!(kind(way, &|exec| exec.directory = Some("/does/not".into())), io::ErrorKind::NotFound);
            assert_eq!(kind(way, &|exec| exec.args.push("a\0b".into())), io::ErrorKind::InvalidInput);
        }
        assert_eq!(kind(Exec::start, &|exec| exec.env.push(("A".into(), "b\0".into()))), io::ErrorKind::InvalidInput);
    }

    /// The environment, the arguments and the descriptors may be any size.
    #[test]
    fn a_large_environment_arrives() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut exec = shell("echo ${#LARGE} ${#MANY_999}", Output::File(OwnedFd::from(writer).into()));
        exec.env.push(("LARGE".into(), "x".repeat(100_000).into()));
        exec.env.extend((0..1000).map(|n| (format!("MANY_{n}").into(), "y".repeat(500).into())));
        let executed = exec.start().unwrap();
        let mut seen = String::new();
        io::Read::read_to_string(&mut reader, &mut seen).unwrap();
        assert_eq!((seen.as_str(), ended(&executed)), ("100000 500\n", Some(0)));
    }
}
