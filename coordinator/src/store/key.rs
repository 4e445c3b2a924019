//! Keys as bytes whose order is the order of the values, part by part, so that a scan answers in the natural order.
//!
//! Integers are big endian. In strings and byte strings 0x00 becomes 0x00 0xff, and 0x00 0x01 ends them: a shorter string
//! sorts before every longer one that continues it, and no key is the beginning of another by accident.

/// A part of a key, or a tuple of parts.
pub trait Key: Sized {
    /// Appends the bytes.
    fn encode(&self, out: &mut Vec<u8>);
    /// Takes the value off the front of `input`; `None` when the bytes are not of this form.
    fn decode(input: &mut &[u8]) -> Option<Self>;
}

/// Says that the first parts of the key `K` are a `Self`, so that one can scan for them.
pub trait PrefixOf<K>: Key {}

const ESCAPED_ZERO: u8 = 0xff;
const END: u8 = 0x01;

macro_rules! integer_key {
    ($($integer:ty),*) => {$(
        impl Key for $integer {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn decode(input: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = input.split_first_chunk()?;
                *input = rest;
                Some(Self::from_be_bytes(*bytes))
            }
        }
    )*};
}
integer_key!(u8, u16, u32, u64, u128);

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (bytes, rest) = input.split_first_chunk()?;
        *input = rest;
        Some(*bytes)
    }
}

impl Key for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        for &byte in self {
            out.push(byte);
            if byte == 0 {
                out.push(ESCAPED_ZERO);
            }
        }
        out.extend_from_slice(&[0, END]);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let mut bytes = Self::new();
        let mut rest = input.iter();
        loop {
            match *rest.next()? {
                0 => match *rest.next()? {
                    ESCAPED_ZERO => bytes.push(0),
                    END => break,
                    _ => return None,
                },
                byte => bytes.push(byte),
            }
        }
        *input = rest.as_slice();
        Some(bytes)
    }
}

impl Key for String {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(Vec::decode(input)?).ok()
    }
}

/// The key of a table with one row.
impl Key for () {
    fn encode(&self, _out: &mut Vec<u8>) {}

    fn decode(_input: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

macro_rules! tuple_key {
    ($($part:ident),*) => {
        impl<$($part: Key),*> Key for ($($part,)*) {
            fn encode(&self, out: &mut Vec<u8>) {
                #[allow(non_snake_case, reason = "the parts are named after their types")]
                let ($($part,)*) = self;
                $($part.encode(out);)*
            }
            fn decode(input: &mut &[u8]) -> Option<Self> {
                Some(($($part::decode(input)?,)*))
            }
        }
    };
}
tuple_key!(A, B);
tuple_key!(A, B, C);
tuple_key!(A, B, C, D);

impl<A: Key, B: Key> PrefixOf<(A, B)> for A {}
/// A prefix of the last part of a key, with all that lies before it.
impl<T: Key, P: PrefixOf<K>, K: Key> PrefixOf<(T, K)> for (T, P) {}
impl<A: Key, B: Key, C: Key> PrefixOf<(A, B, C)> for A {}
impl<A: Key, B: Key, C: Key> PrefixOf<(A, B, C)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key> PrefixOf<(A, B, C, D)> for A {}
impl<A: Key, B: Key, C: Key, D: Key> PrefixOf<(A, B, C, D)> for (A, B) {}
impl<A: Key, B: Key, C: Key, D: Key> PrefixOf<(A, B, C, D)> for (A, B, C) {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use proptest::prelude::*;

    use super::*;

    fn bytes_of<K: Key>(key: &K) -> Vec<u8> {
        let mut out = Vec::new();
        key.encode(&mut out);
        out
    }

    /// Strings that often share beginnings and hold the bytes the escaping is about.
    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!['\0', '\u{1}', 'a', 'b', 'ÿ', '\u{10ffff}']), 0..5)
            .prop_map(|letters| letters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn the_order_of_bytes_is_the_order_of_tuples(
            left in (text(), any::<u32>(), prop::collection::vec(0..3_u8, 0..4), any::<u64>()),
            right in (text(), any::<u32>(), prop::collection::vec(0..3_u8, 0..4), any::<u64>()),
        ) {
            prop_assert_eq!(bytes_of(&left).cmp(&bytes_of(&right)), left.cmp(&right));
            let near = (left.0.clone(), left.1, right.2.clone(), right.3);
            prop_assert_eq!(bytes_of(&left).cmp(&bytes_of(&near)), left.cmp(&near));
        }

        #[test]
        fn a_key_comes_back(key in (text(), any::<u8>(), text(), any::<[u8; 16]>())) {
            let bytes = bytes_of(&key);
            let mut input = bytes.as_slice();
            prop_assert_eq!(<(String, u8, String, [u8; 16])>::decode(&mut input), Some(key));
            prop_assert!(input.is_empty());
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            let mut input = bytes.as_slice();
            if let Some(key) = <(String, u32)>::decode(&mut input) {
                let read = bytes.len() - input.len();
                prop_assert_eq!(bytes_of(&key), bytes.get(..read).unwrap());
            }
        }
    }
}
