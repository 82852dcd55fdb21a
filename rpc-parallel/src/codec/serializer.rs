//! Writes values in the form of postcard, at the end of a vector.
//!
//! postcard's own serializer appends every number as a slice of unknown length: for small values that copy costs more
//! than all the rest. Here a number is written as a whole, after one look at the room.

use std::fmt::Display;

use serde::{
    Serialize,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::{CodecError, refused::Refused};
use crate::room::Room;

/// Writes one value. Nothing beyond the limit gets memory; it is counted, so that the error can tell the size.
pub(crate) struct Serializer<'a> {
    room: Room<'a>,
    /// How long the whole may become.
    limit: usize,
}

type Done = Result<(), Refused>;

impl<'a> Serializer<'a> {
    /// Appends to `out`, whose length may not exceed `limit`.
    #[inline]
    pub(crate) fn new(out: &'a mut Vec<u8>, limit: usize) -> Self {
        Self { room: Room::new(out, limit), limit }
    }

    /// Adds what was written to the vector. Without that, and after an error, that is as it was.
    #[inline]
    pub(crate) fn finish(mut self) -> Done {
        match self.room.add() {
            Ok(_) => Ok(()),
            Err(size) => Err(too_large(size, self.limit)),
        }
    }

    /// Adds what was written to the vector, and goes on with the next value, of at most `limit` bytes: says how long the vector
    /// is.
    #[inline]
    pub(super) fn next(&mut self, limit: usize) -> Result<usize, Refused> {
        match self.room.add() {
            Ok(len) => {
                self.limit = len.saturating_add(limit);
                self.room.allow(self.limit);
                Ok(len)
            }
            Err(size) => Err(too_large(size, self.limit)),
        }
    }

    /// Leaves at most ten bytes for what is put there later.
    #[inline]
    pub(super) fn leave(&mut self, bytes: usize) {
        match bytes {
            0 => {}
            1 => self.room.append_word([0]),
            more => self.room.append([0; 10].get(..more).unwrap_or_default()),
        }
    }

    #[inline]
    fn byte(&mut self, byte: u8) -> Done {
        self.word([byte])
    }

    #[inline]
    fn word<const LEN: usize>(&mut self, bytes: [u8; LEN]) -> Done {
        self.room.append_word(bytes);
        Ok(())
    }

    /// Writes bytes as they are.
    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Done {
        self.room.append(bytes);
        Ok(())
    }

    #[inline]
    fn varint(&mut self, value: u64) -> Done {
        self.room.append_varint(value);
        Ok(())
    }

    /// Zig-zag: small numbers are short, whatever their sign.
    #[inline]
    fn signed(&mut self, value: i64) -> Done {
        self.varint(((value << 1) ^ (value >> 63)).cast_unsigned())
    }

    #[inline]
    fn variant<T: ?Sized + Serialize>(&mut self, index: u32, value: &T) -> Done {
        self.varint(u64::from(index))?;
        value.serialize(self)
    }
}

#[cold]
fn too_large(size: usize, limit: usize) -> Refused {
    Refused::Other(Box::new(CodecError::TooLarge { size, limit }))
}

impl Error for Refused {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Self::Other(Box::new(CodecError::Encode(message.to_string())))
    }
}

macro_rules! numbers {
    ($($method:ident($type:ty) => $write:ident as $wide:ty),* $(,)?) => {$(
        #[inline]
        fn $method(self, value: $type) -> Done {
            self.$write(<$wide>::from(value))
        }
    )*};
}

impl serde::Serializer for &mut Serializer<'_> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_bool(bool) => byte as u8,
        serialize_u8(u8) => byte as u8,
        serialize_u16(u16) => varint as u64,
        serialize_u32(u32) => varint as u64,
        serialize_u64(u64) => varint as u64,
        serialize_i16(i16) => signed as i64,
        serialize_i32(i32) => signed as i64,
        serialize_i64(i64) => signed as i64,
    }

    #[inline]
    fn serialize_i8(self, value: i8) -> Done {
        self.byte(value.cast_unsigned())
    }

    fn serialize_u128(self, mut value: u128) -> Done {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80)?;
            value >>= 7;
        }
        self.byte(value as u8)
    }

    fn serialize_i128(self, value: i128) -> Done {
        self.serialize_u128(((value << 1) ^ (value >> 127)).cast_unsigned())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Done {
        self.word(value.to_le_bytes())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Done {
        self.word(value.to_le_bytes())
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Done {
        self.serialize_bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.varint(value.len() as u64)?;
        self.bytes(value)
    }

    #[inline]
    fn serialize_none(self) -> Done {
        self.byte(0)
    }

    #[inline]
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Done {
        self.byte(1)?;
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Done {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Done {
        self.varint(u64::from(index))
    }

    #[inline]
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Done {
        self.variant(index, value)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Refused> {
        let Some(len) = len else { return Err(Refused::custom(postcard::Error::SerializeSeqLengthUnknown)) };
        self.varint(len as u64)?;
        Ok(self)
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Refused> {
        self.variant(index, &())?;
        Ok(self)
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self, Refused> {
        self.serialize_seq(len)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Refused> {
        self.variant(index, &())?;
        Ok(self)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The parts of a compound value follow each other without anything between them.
macro_rules! compounds {
    ($($compound:ident: $($method:ident($($key:ty)?)),*;)*) => {$(
        impl $compound for &mut Serializer<'_> {
            type Ok = ();
            type Error = Refused;

            $(
                #[inline]
                fn $method<T: ?Sized + Serialize>(&mut self, $(_: $key,)? value: &T) -> Done {
                    value.serialize(&mut **self)
                }
            )*

            #[inline]
            fn end(self) -> Done {
                Ok(())
            }
        }
    )*};
}

compounds! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}
