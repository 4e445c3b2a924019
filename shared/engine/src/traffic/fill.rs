//! Values of template variables that come from the visitor or from chance.

use trafficlab_shared::template::Variable;

use super::render::json::{push_hex, push_whole};
use super::render::push_ip;
use super::rng::EntryRng;
use super::visitor::Profile;

/// Appends the value of a variable of the visitor or of chance; false for all others, which the sender knows.
pub fn write(
    out: &mut Vec<u8>,
    variable: Variable,
    profile: &Profile<'_>,
    page_number: u32,
    stream: &mut EntryRng,
) -> bool {
    let (client, city) = (profile.client, profile.city);
    let (width, height) = client.device.css_pixels();
    let text = match variable {
        Variable::UserAgent => client.user_agent.as_str(),
        Variable::Country => profile.country.iso2,
        Variable::Region => city.region,
        Variable::City => city.name,
        Variable::Language => profile.language,
        Variable::DeviceModel => client.device.model,
        Variable::DeviceMake => client.device.make,
        Variable::Os => client.device.os,
        Variable::OsVersion => client.os_version,
        Variable::Browser => client.browser,
        Variable::UserProfile => profile.user_profile.name.as_str(),
        number => {
            match number {
                Variable::Ip => push_ip(out, profile.ip),
                Variable::UserId => push_hex(out, profile.user_id, 16),
                Variable::SessionId => push_hex(out, profile.session_id, 16),
                Variable::Page => push_whole(out, u64::from(page_number)),
                Variable::TimezoneOffset => push_signed(out, city.utc_offset),
                Variable::ScreenWidth => push_whole(out, u64::from(width)),
                Variable::ScreenHeight => push_whole(out, u64::from(height)),
                Variable::Uuid => push_uuid(out, stream.word(), stream.word()),
                Variable::RandomInt(low, high) => push_whole(out, between(low, high, stream)),
                _ => return false,
            }
            return true;
        }
    };
    out.extend_from_slice(text.as_bytes());
    true
}

/// An integer between both bounds, inclusive.
pub fn between(low: u64, high: u64, stream: &mut EntryRng) -> u64 {
    let width = high.saturating_sub(low).saturating_add(1);
    low.saturating_add(stream.below(width))
}

fn push_signed(out: &mut Vec<u8>, value: i32) {
    if value < 0 {
        out.push(b'-');
    }
    push_whole(out, u64::from(value.unsigned_abs()));
}

/// A random UUID (RFC 9562, version 4).
pub fn push_uuid(out: &mut Vec<u8>, high: u64, low: u64) {
    push_hex(out, high >> 32, 8);
    out.push(b'-');
    push_hex(out, high >> 16, 4);
    out.extend_from_slice(b"-4");
    push_hex(out, high, 3);
    out.push(b'-');
    // Variant 1: the two highest bits are 10.
    push_hex(out, (low >> 48) & 0x3fff | 0x8000, 4);
    out.push(b'-');
    push_hex(out, low, 12);
}

/// Percent-encodes what was appended behind `start`, except what RFC 3986 calls unreserved.
pub(crate) fn escape_from(out: &mut Vec<u8>, start: usize) {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if out.get(start..).is_none_or(|value| value.iter().all(plain)) {
        return;
    }
    for byte in out.split_off(start) {
        if plain(&byte) {
            out.push(byte);
        } else {
            out.push(b'%');
            for digit in [byte >> 4, byte & 15] {
                out.push(if digit < 10 { b'0' + digit } else { b'A' + digit - 10 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_a_path_are_escaped() {
        let mut out = b"/a b".to_vec();
        out.extend_from_slice("São Paulo/1~".as_bytes());
        escape_from(&mut out, 4);
        assert_eq!(String::from_utf8_lossy(&out), "/a bS%C3%A3o%20Paulo%2F1~");
    }

    #[test]
    fn uuids_have_version_and_variant() {
        let mut out = Vec::new();
        push_uuid(&mut out, u64::MAX, u64::MAX);
        push_signed(&mut out, -300);
        assert_eq!(String::from_utf8_lossy(&out), "ffffffff-ffff-4fff-bfff-ffffffffffff-300");
    }
}
