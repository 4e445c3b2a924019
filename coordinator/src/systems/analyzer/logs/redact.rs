//! Takes out of a log line what might be secret, whatever the writer of the line thought.

use trafficlab_shared::telemetry::redact_url;

const MASK: &str = "***";
/// Words whose value is secret when `=` or `:` follows.
const NAMES: [&str; 8] = ["password", "passwd", "secret", "token", "authorization", "api_key", "routing_key", "cookie"];
/// Of these, the ones whose value has several words, such as `Basic dXNlcg==`.
const WORDY: [&str; 2] = ["authorization", "cookie"];

/// The line without users, passwords and queries of URLs, credentials of headers, and values of secret names.
pub(super) fn redact(line: &str) -> String {
    values(&bearers(&urls(line)))
}

fn is_end(letter: char) -> bool {
    letter.is_whitespace() || "\"'`<>,;&|}])".contains(letter)
}

fn urls(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at);
        let letters = before.bytes().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
        let (text, scheme) = before.split_at(before.len() - letters.count());
        // A query may hold what would otherwise end the URL, so it is left out up to the next blank or quote.
        let length = after.find(|letter: char| letter.is_whitespace() || "\"'`<>".contains(letter));
        let (url, next) = after.split_at(length.unwrap_or(after.len()));
        out.push_str(text);
        out.push_str(&redact_url(&format!("{scheme}{url}")));
        rest = next;
    }
    out.push_str(rest);
    out
}

fn bearers(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.to_ascii_lowercase().find("bearer ") {
        let (before, after) = rest.split_at(at + "bearer ".len());
        out.push_str(before);
        out.push_str(MASK);
        rest = after.trim_start_matches(|letter| !is_end(letter));
    }
    out.push_str(rest);
    out
}

fn values(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    loop {
        let lower = rest.to_ascii_lowercase();
        let first = NAMES.iter().filter_map(|name| Some((lower.find(name)?, *name))).min();
        let Some((at, name)) = first else {
            out.push_str(rest);
            return out;
        };
        let (before, after) = rest.split_at(at + name.len());
        out.push_str(before);
        let value = after.trim_start_matches(['"', '\'', ' ']);
        let Some(value) = value.strip_prefix(['=', ':']).filter(|value| !value.starts_with(':')) else {
            rest = after;
            continue;
        };
        let value = value.trim_start_matches(['"', '\'', ' ']);
        out.push_str(after.strip_suffix(value).unwrap_or_default());
        let wordy = |letter: char| WORDY.contains(&name) && (letter == ' ' || letter == ';');
        let end = value.trim_start_matches(|letter| !is_end(letter) || wordy(letter));
        out.push_str(if end.len() == value.len() { "" } else { MASK });
        rest = end;
    }
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        for (line, shown) in [
            ("started in 3 s", "started in 3 s"),
            ("url=https://u:p@h.example/a?token=1&x=(2) next", "url=https://h.example/a next"),
            ("Authorization: Bearer abc.def, x", "Authorization: ***, x"),
            ("authorization=\"Basic dXNlcjpwdw==\" x", "authorization=\"***\" x"),
            ("Cookie: a=1; b=2", "Cookie: ***"),
            ("sent \"bearer abc\"", "sent \"bearer ***\""),
            ("{\"password\": \"hush\", \"a\": 1}", "{\"password\": \"***\", \"a\": 1}"),
            ("secret=a token = b;c", "secret=*** token = ***;c"),
            ("module::token::read said", "module::token::read said"),
            ("no token is known", "no token is known"),
            ("é password=é tail", "é password=*** tail"),
        ] {
            assert_eq!(redact(line), shown, "{line}");
        }
    }
}
