//! A start that costs as little as Linux allows.
//!
//! What std asks of posix_spawn makes the C library look at each of 64 signals in the child and set it, and takes the
//! environment apart and together again: as much as a tenth of a whole start. Linux can start a process in which all
//! signals are at their defaults, and gives its pidfd along.
//!
//! The child shares our memory and runs on a stack of its own until it has called exec, while the thread that started it
//! waits, as with vfork. So it may do next to nothing: system calls, with what was prepared before.

use std::{
    arch::asm,
    ffi::{CString, OsStr, c_char, c_int, c_void},
    io,
    mem::{MaybeUninit, size_of},
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    ptr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use rustix::{
    io::Errno,
    process::{Pid, WaitOptions, waitpid},
};

use super::{Exec, Executed};
use crate::process::redirect::Output;

/// Starts it. `None` if it has to be done in the other way: this kernel or a sandbox does not allow it, or the request is a
/// strange one.
pub(super) fn start(exec: &Exec) -> Option<io::Result<Executed>> {
    if REFUSED.load(Relaxed) { None } else { Prepared::of(exec)?.run() }
}

/// The kernel has refused once, for a reason that stays.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// All that the child needs, as the kernel wants it.
struct Prepared {
    path: CString,
    directory: Option<CString>,
    args: Strings,
    env: Strings,
    /// What becomes descriptor 0, 1 and 2; -1 stays what it is.
    stdio: [RawFd; 3],
    _null: Option<OwnedFd>,
}

impl Prepared {
    fn of(exec: &Exec) -> Option<Self> {
        let null = match (&exec.stdout, &exec.stderr) {
            (Output::Null, _) | (_, Output::Null) => {
                Some(OwnedFd::from(std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").ok()?))
            }
            _ => None,
        };
        let source = |output: &Output| match output {
            Output::Inherit => -1,
            Output::Null => null.as_ref().map_or(-1, AsRawFd::as_raw_fd),
            Output::File(file) => file.as_raw_fd(),
        };
        let stdio = [exec.stdin.as_raw_fd(), source(&exec.stdout), source(&exec.stderr)];
        // One of our own three is closed, so that another file has its number: it would be overwritten.
        if stdio.iter().any(|fd| (0..3).contains(fd)) {
            return None;
        }
        let string = |text: &OsStr| CString::new(text.as_bytes()).ok();
        let directory = match &exec.directory {
            Some(directory) => Some(string(directory.as_os_str())?),
            None => None,
        };
        let mut args = Strings::default();
        for arg in std::iter::once(&exec.arg0).chain(&exec.args) {
            args.push(&[arg.as_bytes()])?;
        }
        let mut env = Strings::default();
        let changed = |name: &OsStr| exec.env.iter().any(|(changed, _)| changed == name);
        for (name, value) in std::env::vars_os().filter(|(name, _)| !changed(name)) {
            env.push(&[name.as_bytes(), b"=", value.as_bytes()])?;
        }
        for (at, (name, value)) in exec.env.iter().enumerate() {
            if exec.env[at + 1..].iter().all(|(later, _)| later != name) {
                env.push(&[name.as_bytes(), b"=", value.as_bytes()])?;
            }
        }
        Some(Self { path: string(exec.program.as_os_str())?, directory, args, env, stdio, _null: null })
    }

    /// `None` if the kernel refuses.
    fn run(&self) -> Option<io::Result<Executed>> {
        let (args, env) = (self.args.pointers(), self.env.pointers());
        let mut plan = Plan {
            path: self.path.as_ptr(),
            directory: self.directory.as_ref().map_or(ptr::null(), |directory| directory.as_ptr()),
            args: args.as_ptr(),
            env: env.as_ptr(),
            stdio: self.stdio,
            error: 0,
        };
        let mut stack = Vec::<MaybeUninit<Frame>>::with_capacity(STACK / size_of::<Frame>());
        let mut pidfd: RawFd = -1;
        let request = CloneArgs {
            flags: (libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD) as u64 | CLONE_CLEAR_SIGHAND,
            pidfd: (&raw mut pidfd) as u64,
            exit_signal: libc::SIGCHLD as u64,
            stack: stack.as_mut_ptr() as u64,
            stack_size: (stack.capacity() * size_of::<Frame>()) as u64,
            ..CloneArgs::default()
        };
        // No handler of ours may run in the child, and none of the C library's own signals may come between.
        let blocked = SignalsBlocked::new();
        // SAFETY: the plan and everything that it points to outlive the child's use of it, because this thread goes on only
        // when the child has called exec or is gone; the stack is the child's alone.
        let pid = unsafe { clone(&request, &raw mut plan) };
        drop(blocked);
        if pid < 0 {
            let stays = [libc::ENOSYS, libc::EPERM, libc::EINVAL].iter().any(|error| pid == -i64::from(*error));
            REFUSED.fetch_or(stays, Relaxed);
            return None;
        }
        let pid = Pid::from_raw(pid as i32)?;
        // SAFETY: the kernel has just made this descriptor, close-on-exec, for nobody else.
        let pidfd = (pidfd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(pidfd) });
        // SAFETY: the place is valid; the child has written to it through a pointer that the compiler knows nothing of.
        let error = unsafe { (&raw const plan.error).read_volatile() };
        if error != 0 {
            while waitpid(Some(pid), WaitOptions::empty()).err() == Some(Errno::INTR) {}
            return Some(Err(io::Error::from_raw_os_error(error)));
        }
        Some(Ok(Executed { pid, pidfd }))
    }
}

/// C strings one behind the other.
#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Strings {
    /// Appends one, made of these parts. `None` if it contains a zero.
    fn push(&mut self, parts: &[&[u8]]) -> Option<()> {
        self.starts.push(self.bytes.len());
        for part in parts {
            if part.contains(&0) {
                return None;
            }
            self.bytes.extend_from_slice(part);
        }
        self.bytes.push(0);
        Some(())
    }

    /// Pointers to all, and a null pointer that ends them.
    fn pointers(&self) -> Vec<*const c_char> {
        let strings = self.starts.iter().map(|start| self.bytes[*start..].as_ptr().cast());
        strings.chain([ptr::null()]).collect()
    }
}

/// What the child does, and how it fared.
#[repr(C)]
struct Plan {
    path: *const c_char,
    directory: *const c_char,
    args: *const *const c_char,
    env: *const *const c_char,
    stdio: [RawFd; 3],
    error: c_int,
}

/// What the child runs: nothing that takes memory or a lock, or that could panic.
///
/// # Safety
///
/// Only on the child's own stack, with a plan that is valid.
unsafe extern "C" fn child(plan: *mut Plan) -> ! {
    // SAFETY: the plan is valid, as our caller promises, and these are system calls. `errno` is that of the thread that
    // waits for us.
    unsafe {
        let error = match prepare_and_exec(&*plan) {
            Some(error) => error,
            None => *libc::__errno_location(),
        };
        (&raw mut (*plan).error).write_volatile(error.max(1));
        libc::_exit(127)
    }
}

/// Returns only if something fails; then `errno` says what, where it is not returned.
///
/// # Safety
///
/// As [`child`].
unsafe fn prepare_and_exec(plan: &Plan) -> Option<c_int> {
    // SAFETY: as our caller promises.
    unsafe {
        if libc::setpgid(0, 0) != 0 {
            return None;
        }
        for (target, source) in plan.stdio.iter().enumerate() {
            if *source >= 0 && libc::dup2(*source, target as c_int) < 0 {
                return None;
            }
        }
        if !plan.directory.is_null() && libc::chdir(plan.directory) != 0 {
            return None;
        }
        // All others are at their defaults by now, unless we ignore them. std ignores this one for us alone.
        if libc::signal(libc::SIGPIPE, libc::SIG_DFL) == libc::SIG_ERR {
            return None;
        }
        set_signal_mask(&0, ptr::null_mut());
        libc::execve(plan.path, plan.args, plan.env);
    }
    None
}

/// All signals are blocked for this thread while this lives.
struct SignalsBlocked(u64);

impl SignalsBlocked {
    fn new() -> Self {
        let mut before = 0;
        // SAFETY: both point to a mask.
        unsafe { set_signal_mask(&u64::MAX, &raw mut before) };
        Self(before)
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: this points to a mask.
        unsafe { set_signal_mask(&self.0, ptr::null_mut()) };
    }
}

/// The C library's function would leave out its own signals.
///
/// # Safety
///
/// `before` is null or has room for a mask.
unsafe fn set_signal_mask(mask: &u64, before: *mut u64) {
    // SAFETY: the kernel's masks have 64 bits, and the call is told their size. It cannot fail with valid pointers.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, ptr::from_ref(mask), before, size_of::<u64>())
    };
}

/// `struct clone_args` of <linux/sched.h>, in its first version.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// Linux 5.5: signals with a handler are at their default in the child.
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;

/// Far more than a few system calls take.
const STACK: usize = 16 << 10;

/// A stack begins at a multiple of this.
#[repr(align(16))]
struct Frame(#[expect(dead_code, reason = "it is there for its size")] [u8; 16]);

/// Starts the child, in which `child(plan)` runs; a negative error if there is none.
///
/// # Safety
///
/// The request must be for a process on a stack of its own, for which this thread waits, and the plan valid until then.
unsafe fn clone(request: &CloneArgs, plan: *mut Plan) -> i64 {
    let result: i64;
    // SAFETY: in this thread it is a system call, which changes nothing but what is declared here and what the pointers
    // lead to. The child begins behind it with the same registers and an aligned stack, and never leaves `child`.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, {plan}",
            "call {child}",
            "ud2",
            "2:",
            plan = in(reg) plan,
            child = sym child,
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") ptr::from_ref(request).cast::<c_void>(),
            in("rsi") size_of::<CloneArgs>(),
            out("rcx") _,
            out("r11") _,
        );
    }
    result
}
