//! A Rust source as far as the house rules need it: code without comments and texts, and functions.

/// The code with comments, strings and character literals blanked, every line in its place.
pub(super) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let joined = code.chars().next_back().is_some_and(is_word);
        let length = match skipped_length(rest, joined) {
            0 => {
                code.push(first);
                first.len_utf8()
            }
            length => {
                let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
                code.extend(rest[..length].chars().map(blank));
                length
            }
        };
        rest = &rest[length..];
    }
    code
}

/// How many bytes at the head are a comment, a string or a character; 0 when it is code.
/// `joined` says that the head goes on with a word, so that `r` or `b` there begins no literal.
fn skipped_length(text: &str, joined: bool) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    let prefix = if joined { 0 } else { literal_prefix(text) };
    let body = &text[prefix..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    let raw = text[..prefix].contains('r');
    if raw && body[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = prefix + hashes + 1;
        return text[inside..].find(&end).map_or(text.len(), |found| inside + found + end.len());
    }
    if body.starts_with('"') {
        return prefix + quoted(body, '"');
    }
    if body.starts_with('\'') && is_character(body) {
        return prefix + quoted(body, '\'');
    }
    0
}

fn literal_prefix(text: &str) -> usize {
    ["br", "cr", "r", "b", "c"]
        .into_iter()
        .find(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['"', '#', '\''])))
        .map_or(0, str::len)
}

/// A quote begins a character when it is closed after one character or begins an escape; else a lifetime.
fn is_character(text: &str) -> bool {
    let mut inside = text.chars().skip(1);
    match inside.next() {
        Some('\\') => true,
        Some(_) => inside.next() == Some('\''),
        None => false,
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The places where `word` stands as a whole word.
pub(super) fn words<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// Whether the code names something of crate `name`: `name::…`, `use name`, but not a module `….::name`.
pub(super) fn names_crate(code: &str, name: &str) -> bool {
    words(code, name).any(|at| {
        let before = code[..at].trim_end();
        let module = before.ends_with("::") && before.trim_end_matches(':').chars().next_back().is_some_and(is_word);
        let path = code[at + name.len()..].trim_start().starts_with("::");
        !module && (path || before.ends_with("use") || before.ends_with("extern crate"))
    })
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// All functions with a body in code that `code_only` made.
pub(super) fn functions(code: &str) -> Vec<Function> {
    words(code, "fn").filter_map(|at| function_at(code, at)).collect()
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let head = code[at + 2..].trim_start();
    let name: String = head.chars().take_while(|c| is_word(*c)).collect();
    let open = at + body_of(&code[at..])?;
    let close = open + closing_brace(&code[open..])?;
    let line = 1 + code[..at].matches('\n').count();
    let lines = 1 + code[at..close].matches('\n').count();
    (!name.is_empty()).then_some(Function { name, line, lines })
}

/// Where the body opens; a declaration ends with a semicolon outside of brackets instead.
fn body_of(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' | ',' if depth < 0 || (c == ';' && depth == 0) => return None,
            _ => {}
        }
    }
    None
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[test]
fn comments_and_texts_are_blanked_and_lifetimes_stay() {
    for (source, code) in [
        ("a // sled::x\nb", "a           \nb"),
        ("/* /* x */ { */ y", "                y"),
        (r#"f("un\"safe {", 'a', '\'')"#, "f(            ,    ,     )"),
        ("r#\"{\"{\"#; b'{' ; x", "        ;      ; x"),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("attr\"x\"", "attr   "),
        ("r\"a\" br#\"b\"#", "            "),
    ] {
        assert_eq!(code_only(source), code, "{source}");
    }
}

#[test]
fn crates_are_told_from_modules_and_longer_names() {
    for (code, names) in [
        ("use sled;", true),
        ("use sled::Db;", true),
        ("let x: ::sled::Db = y;", true),
        ("#[sled::attribute]", true),
        ("crate::store::sled::open()", false),
        ("sled_kv::open()", false),
        ("let sled = 3;", false),
        ("use unsled::x;", false),
    ] {
        assert_eq!(names_crate(code, "sled"), names, "{code}");
    }
}

#[test]
fn functions_are_measured_from_their_word_to_the_closing_brace() {
    let code = "trait T { fn declared(&self, a: [u8; 3]); }\nfn one() { x }\nfn two<F: Fn() -> u8>(f: fn(u8) -> u8)\n{\n  if y { z }\n}\n";
    let found: Vec<_> = functions(code).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(found, [("one".to_owned(), 2, 1), ("two".to_owned(), 3, 4)]);
}
