//! Reads values in the form of postcard.
//!
//! postcard's own deserializer has an error of another type, so that every value would be moved once more than it has
//! to be: for items of 64 bytes that costs as much as reading them.

use std::fmt::Display;

use postcard::Error as Postcard;
use serde::de::{
    DeserializeSeed, EnumAccess, Error, IntoDeserializer, VariantAccess, Visitor, value::U32Deserializer,
};

use super::{CodecError, parts::Parts, refused::Refused};
use crate::varint::{take_long_varint, take_short_varint};

/// Reads one value from the front of some bytes.
pub(crate) struct Deserializer<'de> {
    rest: &'de [u8],
}

impl<'de> Deserializer<'de> {
    /// Reads from the front of `bytes`.
    #[inline]
    pub(crate) fn new(bytes: &'de [u8]) -> Self {
        Self { rest: bytes }
    }

    /// All that was not read, which then is.
    #[inline]
    pub(super) fn take_rest(&mut self) -> &'de [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Whether all was read.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// How much was not read.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The length of an item, which stands before it; none if nothing does.
    #[inline]
    pub(super) fn item_len(&mut self) -> Option<usize> {
        let (value, len) = match self.rest.first() {
            Some(short) if *short < 0x80 => (u64::from(*short), 1),
            _ => take_long_varint(self.rest, 10, u64::MAX),
        };
        self.rest = self.rest.get(len..)?;
        if len > 0 { usize::try_from(value).ok() } else { None }
    }

    /// What is wrong if not all was read.
    #[cold]
    pub(crate) fn left_over(&self) -> Refused {
        Refused::Other(Box::new(CodecError::TrailingBytes(self.rest.len())))
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Refused> {
        let Some((first, rest)) = self.rest.split_first() else {
            return Err(Refused::End);
        };
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'de [u8], Refused> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(Refused::End);
        };
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], Refused> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else {
            return Err(Refused::End);
        };
        self.rest = rest;
        Ok(*taken)
    }

    /// A number of at most so many bytes, and not above `max`.
    #[inline]
    fn varint(&mut self, longest: usize, max: u64) -> Result<u64, Refused> {
        if let Some((first, rest)) = self.rest.split_first()
            && *first < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*first));
        }
        if let Some((value, len)) = take_short_varint(self.rest)
            && len <= longest
            && u64::from(value) <= max
            && let Some(rest) = self.rest.get(len..)
        {
            self.rest = rest;
            return Ok(value.into());
        }
        match take_long_varint(self.rest, longest, max) {
            (_, 0) => Err(refuse_varint(self.rest, longest)),
            (value, len) => {
                self.rest = self.rest.get(len..).unwrap_or_default();
                Ok(value)
            }
        }
    }

    #[inline]
    fn u16(&mut self) -> Result<u16, Refused> {
        Ok(self.varint(3, u16::MAX.into())? as u16)
    }

    #[inline]
    fn u32(&mut self) -> Result<u32, Refused> {
        Ok(self.varint(5, u32::MAX.into())? as u32)
    }

    #[inline]
    fn u64(&mut self) -> Result<u64, Refused> {
        self.varint(10, u64::MAX)
    }

    fn u128(&mut self) -> Result<u128, Refused> {
        let mut value = 0;
        for index in 0..19 {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                return if index == 18 && byte > 3 { Err(refuse(Postcard::DeserializeBadVarint)) } else { Ok(value) };
            }
        }
        Err(refuse(Postcard::DeserializeBadVarint))
    }

    #[inline]
    fn len(&mut self) -> Result<usize, Refused> {
        usize::try_from(self.u64()?).map_err(|_| Refused::End)
    }

    #[inline]
    fn bytes(&mut self) -> Result<&'de [u8], Refused> {
        let len = self.len()?;
        self.take(len)
    }

    #[inline]
    fn text(&mut self) -> Result<&'de str, Refused> {
        std::str::from_utf8(self.bytes()?).map_err(|_| refuse(Postcard::DeserializeBadUtf8))
    }

    /// Reads the parts of a compound value by a reader of their own, which the compiler can keep in registers for as long as
    /// they last.
    #[inline]
    fn parts<V: Visitor<'de>>(&mut self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        let mut deserializer = Deserializer { rest: self.rest };
        let value = visitor.visit_seq(Parts::new(&mut deserializer, len));
        self.rest = deserializer.rest;
        value
    }

    fn char(&mut self) -> Result<char, Refused> {
        let text = match self.bytes()? {
            bytes if bytes.len() > 4 => None,
            bytes => std::str::from_utf8(bytes).ok(),
        };
        text.and_then(|text| text.chars().next()).ok_or_else(|| refuse(Postcard::DeserializeBadChar))
    }
}

#[cold]
fn refuse(error: Postcard) -> Refused {
    Refused::Other(Box::new(CodecError::Decode(error.to_string())))
}

/// Why there is no number of at most so many bytes.
#[cold]
fn refuse_varint(bytes: &[u8], longest: usize) -> Refused {
    let ends = bytes.iter().take(longest).any(|byte| *byte < 0x80);
    if ends || bytes.len() >= longest { refuse(Postcard::DeserializeBadVarint) } else { Refused::End }
}

impl Error for Refused {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Self::Other(Box::new(CodecError::Decode(message.to_string())))
    }
}

/// The inverse of zig-zag.
macro_rules! unsigned {
    ($value:expr) => {{
        let value = $value;
        (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
    }};
}

macro_rules! values {
    ($($method:ident => $visit:ident($self:ident: $value:expr);)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>($self, visitor: V) -> Result<V::Value, Refused> {
            visitor.$visit($value)
        }
    )*};
}

macro_rules! unknown {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
            Err(refuse(Postcard::WontImplement))
        }
    )*};
}

impl<'de> serde::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = Refused;

    values! {
        deserialize_u8 => visit_u8(self: self.byte()?);
        deserialize_u16 => visit_u16(self: self.u16()?);
        deserialize_u32 => visit_u32(self: self.u32()?);
        deserialize_u64 => visit_u64(self: self.u64()?);
        deserialize_u128 => visit_u128(self: self.u128()?);
        deserialize_i8 => visit_i8(self: self.byte()?.cast_signed());
        deserialize_i16 => visit_i16(self: unsigned!(self.u16()?));
        deserialize_i32 => visit_i32(self: unsigned!(self.u32()?));
        deserialize_i64 => visit_i64(self: unsigned!(self.u64()?));
        deserialize_i128 => visit_i128(self: unsigned!(self.u128()?));
        deserialize_f32 => visit_f32(self: f32::from_le_bytes(self.array()?));
        deserialize_f64 => visit_f64(self: f64::from_le_bytes(self.array()?));
        deserialize_char => visit_char(self: self.char()?);
        deserialize_str => visit_borrowed_str(self: self.text()?);
        deserialize_string => visit_borrowed_str(self: self.text()?);
        deserialize_bytes => visit_borrowed_bytes(self: self.bytes()?);
        deserialize_byte_buf => visit_borrowed_bytes(self: self.bytes()?);
    }

    // The form does not tell what a value is.
    unknown! { deserialize_any deserialize_identifier deserialize_ignored_any }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(refuse(Postcard::DeserializeBadBool)),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.byte()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            _ => Err(refuse(Postcard::DeserializeBadOption)),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let len = self.len()?;
        self.parts(len, visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        self.parts(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.parts(len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let len = self.len()?;
        visitor.visit_map(Parts::new(self, len))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.parts(fields.len(), visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_enum(self)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<'de> EnumAccess<'de> for &mut Deserializer<'de> {
    type Error = Refused;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let variant: U32Deserializer<Refused> = self.u32()?.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Deserializer<'de> {
    type Error = Refused;

    #[inline]
    fn unit_variant(self) -> Result<(), Refused> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(self)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        self.parts(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.parts(fields.len(), visitor)
    }
}
