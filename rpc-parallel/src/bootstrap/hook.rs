//! Becoming a worker before `main`.
//!
//! A function in `.init_array` runs in every process of every program that links this crate, so it does next to nothing
//! unless the marker is there. If it is, and this code is in the executable itself, it runs the constructors that come
//! after it (with LTO some of `inventory`'s do) and becomes the worker.

use std::{
    arch::global_asm,
    ffi::{CStr, c_char, c_int, c_void},
    slice,
};

use libc::{PT_DYNAMIC, dl_iterate_phdr, dl_phdr_info, size_t};

use super::{marker, take_over::take_over};
use crate::process::{
    entry::{self, MARKER},
    image,
};

/// What the C library passes to a constructor: glibc the arguments of `main`, musl nothing, so that these may be garbage
/// and are only passed on.
type Constructor = extern "C" fn(usize, usize, usize);

#[used]
// SAFETY: the section holds pointers to functions of this kind.
#[unsafe(link_section = ".init_array")]
static HOOK: Constructor = hook;

extern "C" fn hook(argc: usize, argv: usize, envp: usize) {
    entry::note_entered();
    // Within dlopen the executable is someone else's program, and taking over would deadlock on the linker's lock.
    if !marked() || image::library().is_some() {
        return;
    }
    run_later_constructors([argc, argv, envp]);
    prepare();
    // SAFETY: a process has one thread at this point. A constructor that starts one would have to read the environment
    // at this very moment.
    unsafe { marker::remove() };
    take_over()
}

/// Whether the marker is in the environment, without std and in some ten nanoseconds.
fn marked() -> bool {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: `environ` is set before any constructor runs. It is null or an array of C strings that a null pointer ends,
    // and no other thread is there to change it.
    unsafe {
        let mut next = environ;
        while !next.is_null() && !(*next).is_null() {
            // The first letter rules out nearly all.
            if **next == b'R' as c_char {
                let variable = CStr::from_ptr(*next).to_bytes();
                if variable.strip_prefix(MARKER.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")) {
                    return true;
                }
            }
            next = next.add(1);
        }
    }
    false
}

/// Does what std does before `main`.
fn prepare() {
    // SAFETY: these calls have no preconditions. /dev/null lands on the lowest free descriptor, which is the one that is
    // closed: an open file there later would be taken for stdout or stderr.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        let mut standard = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
        // A call for all three. It fails only for want of memory, and then so would what follows.
        libc::poll(standard.as_mut_ptr(), 3, 0);
        for _closed in standard.iter().filter(|one| one.revents & libc::POLLNVAL != 0) {
            libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        }
    }
}

/// Runs the constructors that the C library would run after this one. Those before it have run.
fn run_later_constructors(arguments: [usize; 3]) {
    let slot = &raw const HOOK as usize;
    // A pointer's slot is aligned, so that what is inside is inside as a whole.
    let holds = |(start, end): &(usize, usize)| (*start..*end).contains(&slot);
    let Some((_, end)) = Some(bounds_by_symbol()).filter(holds).or_else(|| Some(bounds_by_header()).filter(holds))
    else {
        return;
    };
    let size = size_of::<Constructor>();
    for slot in (slot + size..end).step_by(size) {
        // SAFETY: this is a slot of `.init_array`, which is readable and relocated before any constructor runs.
        let constructor = unsafe { *(slot as *const usize) };
        // Both values are the linker's padding.
        if constructor != 0 && constructor != usize::MAX {
            // SAFETY: what is in `.init_array` is a constructor. It has not run yet, and it will not run again, since
            // this function's caller does not return.
            let constructor = unsafe { std::mem::transmute::<usize, Constructor>(constructor) };
            let [argc, argv, envp] = arguments;
            constructor(argc, argv, envp);
        }
    }
}

/// The assembler's word for pointers. Before Rust 1.93 there is no `cfg` within assembly.
#[cfg(target_pointer_width = "64")]
macro_rules! pointers {
    () => {
        ".8byte"
    };
}
#[cfg(target_pointer_width = "32")]
macro_rules! pointers {
    () => {
        ".4byte"
    };
}

// Linkers define these two, but hidden ones, and not in shared libraries: hence weak and hidden. There is no stable way to
// say so in Rust. The table itself is weak because two versions of this crate may be in one program.
global_asm!(
    ".pushsection .data.rel.ro.rpc_parallel_init_array, \"aw\", @progbits",
    ".balign 8",
    ".weak rpc_parallel_init_array",
    ".hidden rpc_parallel_init_array",
    ".weak __init_array_start",
    ".hidden __init_array_start",
    ".weak __init_array_end",
    ".hidden __init_array_end",
    "rpc_parallel_init_array:",
    concat!(pointers!(), " __init_array_start, __init_array_end"),
    ".popsection",
);

fn bounds_by_symbol() -> (usize, usize) {
    unsafe extern "C" {
        static rpc_parallel_init_array: [usize; 2];
    }
    // SAFETY: the table is defined above, with two words that never change after relocation. A volatile read, because
    // the compiler must not conclude anything about what it cannot see.
    let [start, end] = unsafe { (&raw const rpc_parallel_init_array).read_volatile() };
    (start, end)
}

/// The second source: what the dynamic section of the executable says. Static executables that are not relocatable have
/// none.
fn bounds_by_header() -> (usize, usize) {
    let mut bounds = (0, 0);
    // SAFETY: `visit` has the signature that is asked for, and takes the last argument for what it is, which outlives the
    // call.
    unsafe { dl_iterate_phdr(Some(visit), (&raw mut bounds).cast()) };
    bounds
}

#[repr(C)]
struct Dynamic {
    tag: usize,
    value: usize,
}

unsafe extern "C" fn visit(info: *mut dl_phdr_info, _size: size_t, bounds: *mut c_void) -> c_int {
    const DT_NULL: usize = 0;
    const DT_INIT_ARRAY: usize = 25;
    const DT_INIT_ARRAYSZ: usize = 27;
    // SAFETY: dl_iterate_phdr gives a valid object, whose headers are an array of this length, and passes our pointer on.
    let (info, bounds, headers) = unsafe {
        let info = &*info;
        let headers = slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
        (info, &mut *bounds.cast::<(usize, usize)>(), headers)
    };
    let base = info.dlpi_addr as usize;
    if let Some(header) = headers.iter().find(|header| header.p_type == PT_DYNAMIC) {
        let mut entry = base.wrapping_add(header.p_vaddr as usize) as *const Dynamic;
        let (mut start, mut size) = (0, 0);
        loop {
            // SAFETY: the dynamic section is mapped, and an entry with the null tag ends it.
            let Dynamic { tag, value } = unsafe { entry.read() };
            match tag {
                DT_NULL => break,
                DT_INIT_ARRAY => start = base.wrapping_add(value),
                DT_INIT_ARRAYSZ => size = value,
                _ => {}
            }
            entry = entry.wrapping_add(1);
        }
        *bounds = (start, start.wrapping_add(size));
    }
    // The executable is the first object; the others do not matter.
    1
}
