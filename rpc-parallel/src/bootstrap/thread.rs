//! A thread that takes nothing from the heap.
//!
//! One of std's registers destructors and knows its name, for which the C library makes a second arena: with its page
//! faults and its end that costs more than the thread itself, in every worker.

use std::{ffi::c_void, io, mem::MaybeUninit, ptr};

/// Runs this on a thread of its own, which nobody can wait for. A panic in it ends the process.
pub(super) fn start(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let run: *mut Run = Box::into_raw(Box::new(Box::new(run)));
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
    // SAFETY: the attributes are initialised first and destroyed last; `main` has the signature that is asked for, and
    // gets the one pointer to the box.
    let error = unsafe {
        let attributes = attributes.as_mut_ptr();
        match libc::pthread_attr_init(attributes) {
            0 => {
                libc::pthread_attr_setstacksize(attributes, STACK);
                libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED);
                let error = libc::pthread_create(thread.as_mut_ptr(), attributes, main, run.cast());
                libc::pthread_attr_destroy(attributes);
                error
            }
            error => error,
        }
    };
    if error == 0 {
        return Ok(());
    }
    // SAFETY: no thread was started, so the box is still ours.
    drop(unsafe { Box::from_raw(run) });
    Err(io::Error::from_raw_os_error(error))
}

type Run = Box<dyn FnOnce() + Send>;

/// What std gives its threads: exit handlers of the program may run on this one.
const STACK: usize = 2 << 20;

extern "C" fn main(run: *mut c_void) -> *mut c_void {
    // SAFETY: `start` made this pointer of a box, for this thread alone.
    let run = unsafe { Box::from_raw(run.cast::<Run>()) };
    // The box is let go when the thread ends: a thread that frees memory gets an arena too.
    run();
    ptr::null_mut()
}
