//! Reading bytes together with descriptors.

use std::{
    io,
    mem::{MaybeUninit, zeroed},
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
    ptr,
};

use super::DESCRIPTORS;

/// Room for the descriptors of one message, aligned as the kernel's headers are.
#[repr(align(8))]
struct Control([MaybeUninit<u8>; 64]);

/// Reads bytes into the room, of which it fills the first part, and puts the descriptors that come with them into the inbox. Those
/// that it has no place for are closed. Says how many bytes, and whether descriptors came: then the read has ended behind their
/// message, whatever follows.
///
/// rustix's `recvmsg` wants room that is initialised, which would have to be done before each read.
pub(super) fn receive(
    fd: impl AsFd,
    room: &mut [MaybeUninit<u8>],
    inbox: &mut Vec<OwnedFd>,
) -> io::Result<(usize, bool)> {
    let mut slice = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    let mut control = Control([MaybeUninit::uninit(); 64]);
    // SAFETY: it is a struct of numbers and pointers, all of which may be zero.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut slice;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len();
    // SAFETY: all that the message points to is there during the call, with the lengths that it says.
    let read = unsafe { libc::recvmsg(fd.as_fd().as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has filled the message in.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    let came = !header.is_null();
    // SAFETY: a header that is not null is one that the kernel has written to the control bytes, aligned as they are.
    while let Some(libc::cmsghdr { cmsg_len, cmsg_level, cmsg_type }) = unsafe { header.as_ref() } {
        if (*cmsg_level, *cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: these two compute from a header what its data are.
            let (data, before) = unsafe { (libc::CMSG_DATA(header).cast::<RawFd>(), libc::CMSG_LEN(0)) };
            for index in 0..cmsg_len.saturating_sub(before as usize) / size_of::<RawFd>() {
                // SAFETY: there are as many descriptors as the header's length says; each is new and nobody else's.
                inbox.push(unsafe { OwnedFd::from_raw_fd(ptr::read_unaligned(data.add(index))) });
            }
        }
        // SAFETY: the header is of this message.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    inbox.truncate(DESCRIPTORS);
    // Cut off where this process may have no more of them.
    Ok((read, came || message.msg_flags & libc::MSG_CTRUNC != 0))
}
