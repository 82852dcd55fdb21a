//! The form is postcard's, whoever writes or reads it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize, ser::SerializeSeq};

use super::{CodecError, deserializer::Deserializer, refused::Refused, serializer::Serializer};

fn write<T: Serialize>(value: &T, room: usize, limit: usize) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(room);
    bytes.extend([0xee; 3]);
    let mut serializer = Serializer::new(&mut bytes, 3 + limit);
    value
        .serialize(&mut serializer)
        .and_then(|()| serializer.finish())
        .map_err(|refused| refused.into_error().after(3))?;
    assert_eq!(bytes[..3], [0xee; 3]);
    Ok(bytes[3..].to_vec())
}

fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<(T, &'de [u8]), Refused> {
    let mut deserializer = Deserializer::new(bytes);
    let value = T::deserialize(&mut deserializer)?;
    Ok((value, &bytes[bytes.len() - deserializer.left()..]))
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Choice {
    Unit,
    New(i8),
    Tuple(u16, char),
    Struct { name: String, list: Vec<Option<i16>> },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Nothing;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Word(u64);

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct All {
    bool: bool,
    numbers: (i32, u32, i64, Word),
    wide: (i128, u128),
    floats: (f32, f64),
    array: [u8; 5],
    map: BTreeMap<String, Vec<Choice>>,
    nothing: (Nothing, ()),
    bytes: bytes::Bytes,
}

fn all() -> impl Strategy<Value = All> {
    let choice = prop_oneof![
        Just(Choice::Unit),
        any::<i8>().prop_map(Choice::New),
        any::<(u16, char)>().prop_map(|(number, char)| Choice::Tuple(number, char)),
        any::<(String, Vec<Option<i16>>)>().prop_map(|(name, list)| Choice::Struct { name, list }),
    ];
    let map = prop::collection::btree_map(any::<String>(), prop::collection::vec(choice, 0..5), 0..5);
    let numbers = (any::<(i32, u32, i64, u64)>(), 0..64_u32, any::<(i128, u128)>(), -1e9..1e9_f32, -1e9..1e9_f64);
    (any::<bool>(), numbers, any::<[u8; 5]>(), map, any::<Vec<u8>>()).prop_map(
        |(bool, ((a, b, c, d), shift, wide, single, double), array, map, bytes)| All {
            bool,
            numbers: (a, b >> (shift / 2), c >> shift, Word(d >> shift)),
            wide,
            floats: (single, double),
            array,
            map,
            nothing: (Nothing, ()),
            bytes: bytes.into(),
        },
    )
}

/// What `T` says of these bytes is what postcard says of them.
fn agrees<T: for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    let theirs = postcard::take_from_bytes::<T>(bytes).ok();
    assert_eq!(read::<T>(bytes).ok(), theirs, "{bytes:x?}");
}

proptest! {
    #[test]
    fn a_value_has_the_form_of_postcard(value in all(), room in 0..300_usize) {
        let expected = postcard::to_stdvec(&value).unwrap();
        prop_assert_eq!(write(&value, room, expected.len()), Ok(expected.clone()));
        let (size, limit) = (expected.len(), expected.len() - 1);
        prop_assert_eq!(write(&value, room, limit), Err(CodecError::TooLarge { size, limit }));
        prop_assert_eq!(read::<All>(&expected).unwrap(), (value, &[][..]));
    }

    #[test]
    fn damaged_bytes_are_read_as_postcard_reads_them(value in all(), at: usize, byte: u8, end: usize) {
        let mut bytes = postcard::to_stdvec(&value).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(end % (bytes.len() + 1));
        // Not the floats: a damaged one may be none.
        agrees::<(bool, (i32, u32, i64, u64), (i128, u128))>(&bytes);
        agrees::<Vec<Choice>>(&bytes);
        agrees::<(Option<String>, char, [u16; 3])>(&bytes);
    }

    #[test]
    fn any_bytes_are_read_as_postcard_reads_them(bytes: Vec<u8>, ones in 0..20_usize, last: u8) {
        let mut number = vec![0xff; ones];
        number.push(last);
        for bytes in [&bytes, &number] {
            agrees::<u16>(bytes);
            agrees::<i32>(bytes);
            agrees::<u64>(bytes);
            agrees::<u128>(bytes);
            agrees::<char>(bytes);
            agrees::<String>(bytes);
            agrees::<Choice>(bytes);
            agrees::<BTreeMap<u8, bool>>(bytes);
        }
    }
}

#[test]
fn what_is_above_the_limit_gets_no_memory() {
    let mut out = vec![7];
    let mut serializer = Serializer::new(&mut out, 1001);
    vec![1_u8; 5000].serialize(&mut serializer).unwrap();
    serializer.finish().unwrap_err();
    assert!(out.capacity() <= 1001);
}

#[test]
fn what_a_peer_promises_gets_no_memory() {
    let mut bytes = postcard::to_stdvec(&(1_u64 << 60)).unwrap();
    bytes.extend([1; 20]);
    read::<Vec<[u64; 30]>>(&bytes).unwrap_err();
    read::<String>(&bytes).unwrap_err();
}

#[test]
fn what_cannot_be_written_says_why() {
    struct Refusing;
    impl Serialize for Refusing {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }
    assert_eq!(write(&Refusing, 100, 100), Err(CodecError::Encode("not today".into())));
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_seq(None)?.end()
        }
    }
    assert!(matches!(write(&Endless, 100, 100), Err(CodecError::Encode(_))));
}
