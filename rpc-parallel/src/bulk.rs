//! Byte strings, which travel as they are: without a length where they end a message, and without a copy if large.
//!
//! `Vec<u8>` and `Bytes` are found by type, so that aliases need no thought. Where they are part of something else
//! they are serde's.

use std::any::{Any, TypeId};

use bytes::Bytes;

use crate::{codec::CodecError, memory, wire::Payload};

/// From this size on bytes are moved rather than copied; below, a copy costs less than its own memory would.
pub(crate) const LARGE: usize = 16 << 10;

/// Smaller `Bytes` are copied out of what was read, for they would keep a buffer of 64 KiB alive.
const SHARED: usize = 4 << 10;

/// The bytes that a value is, taken out of it, if they are worth it.
#[inline]
pub(crate) fn take_large<T: Any>(value: &mut T) -> Option<Bytes> {
    if !is_bytes::<T>() {
        return None;
    }
    let value = value as &mut dyn Any;
    if let Some(bytes) = value.downcast_mut::<Vec<u8>>() {
        return (bytes.len() >= LARGE).then(|| std::mem::take(bytes).into());
    }
    let bytes = value.downcast_mut::<Bytes>()?;
    (bytes.len() >= LARGE).then(|| std::mem::take(bytes))
}

/// Whether a type is a byte string. That is known when the program is built, so that what follows is there for these types
/// alone.
#[inline]
pub(crate) fn is_bytes<T: Any>() -> bool {
    let id = TypeId::of::<T>();
    id == TypeId::of::<Vec<u8>>() || id == TypeId::of::<Bytes>()
}

/// The bytes that a value is.
#[inline]
pub(crate) fn as_bytes<T: Any>(value: &T) -> Option<&[u8]> {
    if !is_bytes::<T>() {
        return None;
    }
    let value = value as &dyn Any;
    match value.downcast_ref::<Vec<u8>>() {
        Some(bytes) => Some(bytes),
        None => value.downcast_ref::<Bytes>().map(Bytes::as_ref),
    }
}

/// A `Vec<u8>` or `Bytes` of what a message ends with; none if `T` is something else.
pub(crate) fn from_payload<T: Any>(payload: impl FnOnce() -> Payload) -> Option<T> {
    let mut value: Option<T> = None;
    let slot = &mut value as &mut dyn Any;
    if let Some(slot) = slot.downcast_mut::<Option<Vec<u8>>>() {
        *slot = Some(payload().into_vec());
    } else if let Some(slot) = slot.downcast_mut::<Option<Bytes>>() {
        *slot = Some(into_bytes(payload().into_bytes()));
    }
    value
}

/// A `Vec<u8>` or `Bytes` with a copy of these bytes; none if `T` is something else.
#[inline]
pub(crate) fn copied<T: Any>(bytes: &[u8]) -> Option<T> {
    let mut value: Option<T> = None;
    let slot = &mut value as &mut dyn Any;
    if let Some(slot) = slot.downcast_mut::<Option<Vec<u8>>>() {
        *slot = Some(bytes.to_vec());
    } else if let Some(slot) = slot.downcast_mut::<Option<Bytes>>() {
        *slot = Some(Bytes::copy_from_slice(bytes));
    }
    value
}

/// What was read, as it is if it is worth the buffer that it keeps alive.
pub(crate) fn into_bytes(bytes: Bytes) -> Bytes {
    if bytes.len() < SHARED { Bytes::copy_from_slice(&bytes) } else { bytes }
}

/// Appends bytes to a message, whose length may not exceed `limit`.
pub(crate) fn append(bytes: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), CodecError> {
    check(out.len(), bytes, limit)?;
    // Nothing follows: twice as much room, as for what grows, would be too much.
    out.reserve_exact(bytes.len());
    memory::will_be_filled(out.spare_capacity_mut());
    out.extend_from_slice(bytes);
    Ok(())
}

/// Fails if the message would be above the limit with these bytes at its end.
pub(crate) fn check(before: usize, bytes: &[u8], limit: usize) -> Result<(), CodecError> {
    let size = before.saturating_add(bytes.len());
    if size > limit { Err(CodecError::TooLarge { size, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bytes_are_moved() {
        let size = 4 * LARGE;
        let mut vec = vec![1; size];
        let place = vec.as_ptr();
        let bytes = take_large(&mut vec).expect("it is large");
        assert_eq!((bytes.as_ptr(), vec.len()), (place, 0));
        let vec: Vec<u8> = from_payload(|| bytes.into()).expect("it is a Vec");
        assert_eq!((vec.as_ptr(), vec.len()), (place, size));
        let mut bytes = Bytes::from(vec);
        let taken = take_large(&mut bytes).expect("it is large");
        assert_eq!((taken.as_ptr(), bytes.len()), (place, 0));
        let shared: Bytes = from_payload(|| taken.into()).expect("it is Bytes");
        assert_eq!(shared.as_ptr(), place);
    }

    #[test]
    fn small_bytes_keep_no_buffer_alive() {
        let buffer = Bytes::from(vec![1; LARGE]);
        let place = buffer.as_ptr();
        let shared: Bytes = from_payload(|| buffer.slice(..SHARED - 1).into()).expect("it is Bytes");
        assert_ne!(shared.as_ptr(), place);
        let vec: Vec<u8> = from_payload(|| buffer.slice(..100).into()).expect("it is a Vec");
        assert_eq!(vec.capacity(), 100);
        assert_eq!(take_large(&mut vec![1_u8; LARGE - 1]), None);
    }

    #[test]
    fn other_types_are_not_bytes() {
        assert_eq!(take_large(&mut vec![1_u16; LARGE]), None);
        assert_eq!(as_bytes(&"text".to_owned()), None);
        assert_eq!(from_payload::<Vec<u16>>(|| unreachable!("it is no byte string")), None);
        assert_eq!(as_bytes(&vec![1_u8, 2]), Some(&[1, 2][..]));
        assert_eq!(as_bytes(&Bytes::from_static(b"text")), Some(&b"text"[..]));
    }

    #[test]
    fn the_limit_holds() {
        let mut out = vec![7];
        assert_eq!(append(&[1; 50], &mut out, 50), Err(CodecError::TooLarge { size: 51, limit: 50 }));
        assert_eq!(out, [7]);
        append(&[1; 49], &mut out, 50).expect("it fits");
        assert_eq!(out.len(), 50);
    }
}
