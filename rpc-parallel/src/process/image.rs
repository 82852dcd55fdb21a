//! Where this code is: in the executable or in a shared library.

use std::path::PathBuf;

/// The shared library that this code is in, if it is in one.
pub(crate) fn library() -> Option<PathBuf> {
    system::library()
}

/// Linux and its libcs: the dynamic linker lists all objects, the executable first.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::{
        ffi::{CStr, OsStr},
        os::unix::ffi::OsStrExt,
        path::PathBuf,
    };

    use libc::{PT_LOAD, c_int, c_void, dl_iterate_phdr, dl_phdr_info, size_t};

    struct Search {
        address: usize,
        objects: usize,
        library: Option<PathBuf>,
    }

    pub(super) fn library() -> Option<PathBuf> {
        let mut search = Search { address: library as *const () as usize, objects: 0, library: None };
        // SAFETY: `visit` has the signature that is asked for, and takes the last argument for the `Search` that it
        // is, which outlives the call. The linker holds its lock meanwhile, so that no object is unloaded; this code
        // calls nothing that would take that lock.
        unsafe { dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
        search.library
    }

    unsafe extern "C" fn visit(info: *mut dl_phdr_info, _size: size_t, search: *mut c_void) -> c_int {
        // SAFETY: dl_iterate_phdr gives a valid object and passes our pointer on.
        let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
        search.objects += 1;
        // SAFETY: the object's program headers are an array of this length that lives as long as the object.
        let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
        let ours = headers.iter().any(|header| {
            let start = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
            header.p_type == PT_LOAD && search.address.wrapping_sub(start) < header.p_memsz as usize
        });
        if ours && search.objects > 1 {
            // SAFETY: the name is a C string that lives as long as the object.
            let name = unsafe { CStr::from_ptr(info.dlpi_name) };
            search.library = Some(OsStr::from_bytes(name.to_bytes()).into());
        }
        c_int::from(ours)
    }
}

/// Elsewhere there is no hook that could take over in the wrong place, and a child that runs the wrong program is told
/// from a worker by its silence.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::path::PathBuf;

    pub(super) fn library() -> Option<PathBuf> {
        None
    }
}
