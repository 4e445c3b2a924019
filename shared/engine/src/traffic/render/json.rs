//! Writing JSON straight into a byte buffer, without a tree in between.

/// An object being written; `end` closes it.
#[derive(Debug)]
pub(crate) struct Object<'out> {
    out: &'out mut Vec<u8>,
    first: bool,
}

/// An array being written; `end` closes it.
#[derive(Debug)]
pub(crate) struct Array<'out> {
    out: &'out mut Vec<u8>,
    first: bool,
}

impl<'out> Object<'out> {
    pub(crate) fn begin(out: &'out mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// Writes the key; the caller writes the value. Keys are ours and need no escapes.
    pub(crate) fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        separate(self.out, &mut self.first);
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn text(&mut self, key: &'static str, value: &str) {
        push_text(self.key(key), value);
    }

    pub(crate) fn whole(&mut self, key: &'static str, value: u64) {
        push_whole(self.key(key), value);
    }

    pub(crate) fn signed(&mut self, key: &'static str, value: i64) {
        push_signed(self.key(key), value, 0);
    }

    /// `value` / 10^`places`, without needless zeros.
    pub(crate) fn decimal(&mut self, key: &'static str, value: u64, places: u32) {
        push_decimal(self.key(key), value, places);
    }

    pub(crate) fn signed_decimal(&mut self, key: &'static str, value: i64, places: u32) {
        push_signed(self.key(key), value, places);
    }

    pub(crate) fn flag(&mut self, key: &'static str, value: bool) {
        self.raw(key, if value { b"true" } else { b"false" });
    }

    pub(crate) fn null(&mut self, key: &'static str) {
        self.raw(key, b"null");
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, key: &'static str, json: &[u8]) {
        self.key(key).extend_from_slice(json);
    }

    /// Members that are JSON already.
    pub(crate) fn members(&mut self, json: &str) {
        separate(self.out, &mut self.first);
        self.out.extend_from_slice(json.as_bytes());
    }

    pub(crate) fn object(&mut self, key: &'static str) -> Object<'_> {
        Object::begin(self.key(key))
    }

    pub(crate) fn array(&mut self, key: &'static str) -> Array<'_> {
        Array::begin(self.key(key))
    }

    /// Members that are JSON already, and the end.
    pub(crate) fn raw_end(mut self, json: &str) {
        self.members(json);
        self.close();
    }

    pub(crate) fn close(&mut self) {
        self.out.push(b'}');
    }

    pub(crate) fn end(mut self) {
        self.close();
    }
}

impl<'out> Array<'out> {
    pub(crate) fn begin(out: &'out mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, first: true }
    }

    pub(crate) fn text(&mut self, value: &str) {
        separate(self.out, &mut self.first);
        push_text(self.out, value);
    }

    pub(crate) fn whole(&mut self, value: u64) {
        separate(self.out, &mut self.first);
        push_whole(self.out, value);
    }

    pub(crate) fn object(&mut self) -> Object<'_> {
        separate(self.out, &mut self.first);
        Object::begin(self.out)
    }

    pub(crate) fn end(self) {
        self.out.push(b']');
    }
}

fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

/// A JSON string with its quotes.
pub(crate) fn push_text(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    push_escaped(out, value);
    out.push(b'"');
}

/// The inside of a JSON string.
pub(crate) fn push_escaped(out: &mut Vec<u8>, value: &str) {
    let mut rest = value.as_bytes();
    while let Some(place) = first_special(rest) {
        let (plain, tail) = rest.split_at(place);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = tail.split_first() else {
            return;
        };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                out.extend_from_slice(b"\\u00");
                push_hex(out, u64::from(other), 2);
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// Where the first byte stands that a JSON string cannot hold as it is. Eight bytes are looked at together, with the
/// "determine if a word has a byte equal to n" of Anderson's "Bit Twiddling Hacks"; its lowest hit is exact.
fn first_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let (words, tail) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let hit = (control | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c))) & HIGHS;
        if hit != 0 {
            return Some(place * 8 + usize::try_from(hit.trailing_zeros() / 8).unwrap_or(0));
        }
    }
    let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    tail.iter().position(special).map(|place| words.len() * 8 + place)
}

/// `digits` lower-case hexadecimal digits.
pub(crate) fn push_hex(out: &mut Vec<u8>, value: u64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = crate::traffic::cast::low8((value >> (place * 4)) & 15);
        out.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
    }
}

pub(crate) fn push_whole(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0u8; 20];
    let mut rest = value;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + crate::traffic::cast::low8(rest % 10);
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
}

/// `value` with at least `width` digits.
pub(crate) fn push_padded(out: &mut Vec<u8>, value: u64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10u64.pow(place) % 10;
        out.push(b'0' + crate::traffic::cast::low8(digit));
    }
}

pub(crate) fn push_decimal(out: &mut Vec<u8>, value: u64, places: u32) {
    let unit = 10u64.pow(places);
    push_whole(out, value / unit);
    let (mut rest, mut width) = (value % unit, places);
    if rest == 0 {
        return;
    }
    while rest % 10 == 0 {
        rest /= 10;
        width -= 1;
    }
    out.push(b'.');
    push_padded(out, rest, width);
}

fn push_signed(out: &mut Vec<u8>, value: i64, places: u32) {
    if value < 0 {
        out.push(b'-');
    }
    push_decimal(out, value.unsigned_abs(), places);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_have_no_needless_zeros() {
        for (value, places, expected) in [(12_500, 3, "12.5"), (5, 3, "0.005"), (2_000, 3, "2"), (0, 6, "0")] {
            assert_eq!(text(|out| push_decimal(out, value, places)), expected);
        }
        assert_eq!(text(|out| push_signed(out, -1_278, 4)), "-0.1278");
        assert_eq!(text(|out| push_whole(out, u64::MAX)), u64::MAX.to_string());
    }

    proptest! {
        #[test]
        fn the_first_special_byte_is_found(bytes in proptest::collection::vec(any::<u8>(), 0..40), plain in any::<bool>()) {
            let bytes: Vec<u8> = bytes.into_iter().map(|byte| if plain { byte | 0x60 } else { byte }).collect();
            let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            prop_assert_eq!(first_special(&bytes), bytes.iter().position(special));
        }

        #[test]
        fn any_string_survives(value in any::<String>()) {
            let json = text(|out| push_text(out, &value));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
        }

        #[test]
        fn any_number_survives(value in any::<u64>()) {
            prop_assert_eq!(text(|out| push_whole(out, value)), value.to_string());
        }
    }
}
