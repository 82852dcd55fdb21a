//! Numbers, written to a few bytes in registers and read from there, in the form of postcard.
//!
//! What most calls and most replies carry is a number. Here it goes past the buffers, lengths and limits that other values
//! need. Whatever is not understood here is left to what writes and reads all values, and says what is wrong.

use std::fmt;

use serde::{
    Deserialize, Serialize,
    de::{self, Visitor},
    forward_to_deserialize_any,
    ser::{self, Impossible},
};

use super::is_number;
use crate::{
    varint::{SHORT, gather, gather_short, long_varint, short_varint, word_varint},
    wire::Few,
};

/// A number as a few bytes; none if it is no number, or one of more bytes.
#[inline(always)]
pub(crate) fn encode_few<T: ?Sized + Serialize>(value: &T) -> Option<Few> {
    if is_number::<T>() { value.serialize(Writer).ok() } else { None }
}

/// The number that these bytes are; none if they are not exactly one, or it is none.
#[inline(always)]
pub(crate) fn decode_few<'de, T: Deserialize<'de>>(few: Few) -> Option<T> {
    if is_number::<T>() { T::deserialize(Reader(few)).ok() } else { None }
}

/// It is something else.
#[derive(Debug)]
struct Other;

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no number of a few bytes")
    }
}

impl std::error::Error for Other {}

impl ser::Error for Other {
    #[cold]
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl de::Error for Other {
    #[cold]
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Seven bits a byte, the lowest first.
#[inline(always)]
fn varint(value: u64) -> Result<Few, Other> {
    if value < 0x80 {
        return Ok(Few::new(value, 1));
    }
    if value < SHORT {
        let (word, len) = short_varint(value as u32);
        return Ok(Few::new(word.into(), len));
    }
    let few = long(value);
    if few.is_there() { Ok(few) } else { Err(Other) }
}

/// By itself, for it would take its registers from what writes other numbers.
#[inline(never)]
fn long(value: u64) -> Few {
    let (word, _, len) = long_varint(value);
    Few::new(word, len)
}

/// Zig-zag: small numbers are short, whatever their sign.
#[inline(always)]
fn signed(value: i64) -> Result<Few, Other> {
    varint(((value << 1) ^ (value >> 63)).cast_unsigned())
}

struct Writer;

macro_rules! write_numbers {
    ($($method:ident($type:ty) => $write:expr),* $(,)?) => {$(
        #[inline(always)]
        fn $method(self, value: $type) -> Result<Few, Other> {
            $write(value)
        }
    )*};
}

macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $compound:ty),* $(,)?) => {$(
        #[cold]
        fn $method(self $(, _: $argument)*) -> Result<$compound, Other> {
            Err(Other)
        }
    )*};
}

type No = Impossible<Few, Other>;

impl ser::Serializer for Writer {
    type Ok = Few;
    type Error = Other;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    write_numbers! {
        serialize_bool(bool) => |value| Ok(Few::new(u64::from(value), 1)),
        serialize_u8(u8) => |value| Ok(Few::new(u64::from(value), 1)),
        serialize_i8(i8) => |value: i8| Ok(Few::new(u64::from(value.cast_unsigned()), 1)),
        serialize_u16(u16) => |value| varint(u64::from(value)),
        serialize_u32(u32) => |value| varint(u64::from(value)),
        serialize_u64(u64) => varint,
        serialize_i16(i16) => |value| signed(i64::from(value)),
        serialize_i32(i32) => |value| signed(i64::from(value)),
        serialize_i64(i64) => signed,
        serialize_f32(f32) => |value: f32| Ok(Few::new(u64::from(value.to_bits()), 4)),
        serialize_f64(f64) => |value: f64| Ok(Few::new(value.to_bits(), 8)),
    }

    #[inline(always)]
    fn serialize_unit(self) -> Result<Few, Other> {
        Ok(Few::EMPTY)
    }

    refuse! {
        serialize_char(char) -> Few,
        serialize_str(&str) -> Few,
        serialize_bytes(&[u8]) -> Few,
        serialize_none() -> Few,
        serialize_unit_struct(&'static str) -> Few,
        serialize_unit_variant(&'static str, u32, &'static str) -> Few,
        serialize_seq(Option<usize>) -> No,
        serialize_tuple(usize) -> No,
        serialize_tuple_struct(&'static str, usize) -> No,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No,
        serialize_map(Option<usize>) -> No,
        serialize_struct(&'static str, usize) -> No,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No,
    }

    #[cold]
    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<Few, Other> {
        Err(Other)
    }

    #[cold]
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, _: &T) -> Result<Few, Other> {
        Err(Other)
    }

    #[cold]
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Few, Other> {
        Err(Other)
    }
}

struct Reader(Few);

impl Reader {
    /// A number of at most so many bytes that fills them.
    #[inline(always)]
    fn varint(&self, longest: usize) -> Result<u64, Other> {
        let (word, len) = (self.0.word(), self.0.len());
        match word_varint(word) {
            (_, used) if used != len || len > longest => Err(Other),
            (bits, ..=4) => Ok(gather_short(bits as u32).into()),
            (bits, _) => Ok(gather(bits)),
        }
    }

    #[inline(always)]
    fn signed(&self, longest: usize) -> Result<i64, Other> {
        let value = self.varint(longest)?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// So many bytes as they are.
    #[inline(always)]
    fn exactly(&self, len: usize) -> Result<u64, Other> {
        if self.0.len() == len { Ok(self.0.word()) } else { Err(Other) }
    }
}

macro_rules! read_numbers {
    ($($method:ident => $visit:ident($read:expr)),* $(,)?) => {$(
        #[inline(always)]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
            let read: fn(&Self) -> Result<_, Other> = $read;
            visitor.$visit(read(&self)?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Reader {
    type Error = Other;

    read_numbers! {
        deserialize_u8 => visit_u8(|reader| Ok(reader.exactly(1)? as u8)),
        deserialize_i8 => visit_i8(|reader| Ok(reader.exactly(1)? as i8)),
        deserialize_u16 => visit_u16(|reader| u16::try_from(reader.varint(3)?).map_err(|_| Other)),
        deserialize_u32 => visit_u32(|reader| u32::try_from(reader.varint(5)?).map_err(|_| Other)),
        deserialize_u64 => visit_u64(|reader| reader.varint(Few::MOST)),
        deserialize_i16 => visit_i16(|reader| i16::try_from(reader.signed(3)?).map_err(|_| Other)),
        deserialize_i32 => visit_i32(|reader| i32::try_from(reader.signed(5)?).map_err(|_| Other)),
        deserialize_i64 => visit_i64(|reader| reader.signed(Few::MOST)),
        deserialize_f32 => visit_f32(|reader| Ok(f32::from_bits(reader.exactly(4)? as u32))),
        deserialize_f64 => visit_f64(|reader| Ok(f64::from_bits(reader.exactly(8)?))),
    }

    #[inline(always)]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        match self.exactly(1)? as u8 {
            byte @ 0..=1 => visitor.visit_bool(byte == 1),
            _ => Err(Other),
        }
    }

    #[inline(always)]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        self.exactly(0)?;
        visitor.visit_unit()
    }

    #[cold]
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Other> {
        Err(Other)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf option unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any i128 u128
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;
    use crate::codec::{decode, encode};

    /// It is written and read as any value is, whatever follows it.
    fn check<T: Serialize + DeserializeOwned + PartialEq + Debug + Copy>(values: impl IntoIterator<Item = T>) {
        for value in values {
            let mut any = Vec::new();
            encode(&value, &mut any, 100).unwrap();
            let few = encode_few(&value);
            assert_eq!(few.is_some(), any.len() <= Few::MOST, "{value:?}");
            let Some(few) = few else { continue };
            assert_eq!(&few.bytes()[..few.len()], &any, "{value:?}");
            for after in [0x00, 0x7f, 0x80, 0xff] {
                any.resize(Few::MOST, after);
                let word = u64::from_le_bytes(any[..].try_into().unwrap());
                assert_eq!(decode_few(Few::new(word, few.len())), Some(value));
                any.truncate(few.len());
            }
        }
    }

    /// Around each power of two.
    fn edges() -> impl Iterator<Item = u64> + Clone {
        (0..64)
            .flat_map(|bit| [0_u64, 1, 2].map(|more| (1_u64 << bit).wrapping_add(more).wrapping_sub(1)))
            .chain([u64::MAX])
    }

    #[test]
    fn numbers_are_written_and_read_as_elsewhere() {
        check(edges());
        check(edges().map(|edge| edge as u32));
        check(edges().map(|edge| edge as u16));
        check(0..=u8::MAX);
        check(edges().map(|edge| edge as usize));
        check(edges().flat_map(|edge| [edge as i64, -(edge as i64 >> 1)]));
        check(edges().flat_map(|edge| [edge as i32, -(edge as i32 >> 1)]));
        check(edges().flat_map(|edge| [edge as i16, -(edge as i16 >> 1)]));
        check(edges().flat_map(|edge| [edge as isize, -(edge as isize >> 1)]));
        check(i8::MIN..=i8::MAX);
        check([0.0, -1.5, f64::MIN, f64::INFINITY]);
        check([0.0, -1.5, f32::MIN, f32::INFINITY]);
        check([false, true]);
        check([()]);
    }

    /// What these bytes are, here and elsewhere.
    fn compare<T: DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
        assert_eq!(decode_few::<T>(Few::of(bytes)), decode::<T>(bytes).ok(), "{bytes:x?}");
    }

    #[test]
    fn bytes_that_are_no_number_are_left_alone() {
        let edges = [0x00, 0x01, 0x02, 0x03, 0x04, 0x0f, 0x10, 0x7f, 0x80, 0x83, 0x84, 0xff];
        for len in 0..=Few::MOST {
            for first in edges {
                for last in edges {
                    for between in [0x80, 0xff] {
                        let mut bytes = vec![between; len];
                        if let [place, .., end] = &mut bytes[..] {
                            (*place, *end) = (first, last);
                        } else {
                            bytes.fill(last);
                        }
                        compare::<u64>(&bytes);
                        compare::<u32>(&bytes);
                        compare::<u16>(&bytes);
                        compare::<u8>(&bytes);
                        compare::<i64>(&bytes);
                        compare::<i32>(&bytes);
                        compare::<i16>(&bytes);
                        compare::<i8>(&bytes);
                        compare::<bool>(&bytes);
                        compare::<()>(&bytes);
                        // Not all of them are equal to themselves.
                        let bits = decode::<f32>(&bytes).ok().map(f32::to_bits);
                        assert_eq!(decode_few(Few::of(&bytes)).map(f32::to_bits), bits);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_is_left_alone() {
        assert!(encode_few("a").is_none());
        assert!(encode_few(&'a').is_none());
        assert!(encode_few(&Some(1)).is_none());
        assert!(encode_few(&(1, 2)).is_none());
        assert!(encode_few(&1_u128).is_none());
        assert!(decode_few::<Option<u8>>(Few::new(0, 1)).is_none());
        assert!(decode_few::<u64>(Few::NONE).is_none());
    }
}
