//! The response parser against tables, every split of its input, and arbitrary bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use proptest::prelude::*;

use super::*;

const WANTED: Wanted = Wanted { answers_head: false, location: true, body: true };

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    body: Vec<u8>,
    keep_alive: bool,
    done: bool,
    left: usize,
}

/// Feeds `input` in the given pieces the way a connection does: unconsumed bytes come again with the next ones.
fn run(input: &[u8], cuts: &[usize], wanted: Wanted) -> Result<Outcome, ParseError> {
    run_with(&mut ResponseParser::new(), input, cuts, wanted)
}

/// The same with a parser that may know a head from before.
fn run_with(parser: &mut ResponseParser, input: &[u8], cuts: &[usize], wanted: Wanted) -> Result<Outcome, ParseError> {
    parser.reset(wanted);
    let (mut start, mut fed) = (0, Fed { consumed: 0, done: false });
    for end in cuts.iter().copied().chain([input.len()]) {
        if end < start || fed.done {
            continue;
        }
        fed = parser.feed(&input[start..end])?;
        assert!(fed.consumed <= end - start);
        start += fed.consumed;
    }
    if !fed.done {
        parser.finish()?;
    }
    assert_eq!(parser.body_bytes, parser.body.len() as u64);
    Ok(Outcome {
        status: parser.status,
        body: parser.body.clone(),
        keep_alive: parser.keep_alive,
        done: fed.done,
        left: input.len() - start,
    })
}

#[track_caller]
fn check(input: &str, status: u16, body: &str, done: bool, left: usize) {
    let whole = run(input.as_bytes(), &[], WANTED);
    let outcome = whole.as_ref().unwrap();
    assert_eq!(
        (outcome.status, outcome.body.as_slice(), outcome.done, outcome.left),
        (status, body.as_bytes(), done, left)
    );
    let every_byte: Vec<usize> = (0..input.len()).collect();
    assert_eq!(run(input.as_bytes(), &every_byte, WANTED), whole, "byte by byte");
}

#[test]
fn whole_responses() {
    check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", true, 0);
    check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", 200, "abc", true, 4);
    check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", true, 0);
    check(
        "\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
        204,
        "",
        true,
        0,
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n",
        200,
        "abcde",
        true,
        0,
    );
    check("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end", false, 0);
}

#[test]
fn head_responses_have_no_body() {
    let wanted = Wanted { answers_head: true, ..WANTED };
    let outcome = run(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", &[], wanted).unwrap();
    assert!(outcome.done && outcome.keep_alive);
}

#[test]
fn broken_responses() {
    let table = [
        ("", ParseError::Truncated),
        ("HTTP/1.1 200 OK\r\nContent-Le", ParseError::Truncated),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", ParseError::Truncated),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", ParseError::Truncated),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", ParseError::Switched),
        ("220 mail.example ESMTP\r\n", ParseError::Head),
    ];
    for (input, error) in table {
        assert_eq!(run(input.as_bytes(), &[], WANTED), Err(error), "{input}");
    }
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(20);
    assert_eq!(run(endless.as_bytes(), &[], WANTED), Err(ParseError::TooManyInterim));
    assert_eq!(run("\r\n".repeat(40).as_bytes(), &[], WANTED), Err(ParseError::Head));
}

#[test]
fn a_kept_body_has_a_limit() {
    let mut parser = ResponseParser::new();
    parser.reset(WANTED);
    parser.feed(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    for _ in 0..3 {
        parser.feed(&vec![b'x'; MAX_KEPT_BODY / 2 + 1]).unwrap();
    }
    assert_eq!(parser.body.len(), MAX_KEPT_BODY);
    assert!(parser.body_bytes > MAX_KEPT_BODY as u64);
}

/// Bytes that look like HTTP often enough to reach every state.
fn almost_http() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just(&b"HTTP/1.1 200 OK\r\n"[..]),
        Just(&b"HTTP/1.0 404 No\r\n"[..]),
        Just(&b"HTTP/1.1 100 Continue\r\n\r\n"[..]),
        Just(&b"Content-Length: 4\r\n"[..]),
        Just(&b"Transfer-Encoding: chunked\r\n"[..]),
        Just(&b"Connection: close\r\n"[..]),
        Just(&b"\r\n"[..]),
        Just(&b"4\r\nabcd\r\n"[..]),
        Just(&b"0\r\n"[..]),
        Just(&b"abcd"[..]),
        Just(&b"\0\xff"[..]),
        Just(&b"ffff"[..]),
    ];
    proptest::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn a_known_head_is_used_and_only_where_it_fits() {
    let mut parser = ResponseParser::new();
    let first = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    run_with(&mut parser, first, &[], WANTED).unwrap();
    assert_eq!(parser.known.bytes, &first[..first.len() - 3]);
    let other = b"HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx";
    let head = Wanted { answers_head: true, ..WANTED };
    for (input, wanted) in [(&first[..], WANTED), (other, WANTED), (first, head), (first, WANTED)] {
        assert_eq!(run_with(&mut parser, input, &[], wanted), run(input, &[], wanted));
    }
}

proptest! {
    #[test]
    fn what_was_read_before_does_not_matter(
        inputs in proptest::collection::vec(almost_http(), 1..5),
        again in proptest::collection::vec(0usize..5, 1..8),
        cuts in proptest::collection::vec(0usize..150, 0..6),
        answers_head: bool,
    ) {
        let mut parser = ResponseParser::new();
        let wanted = Wanted { answers_head, ..WANTED };
        for index in again {
            let input = &inputs[index % inputs.len()];
            let mut cuts: Vec<usize> = cuts.iter().copied().filter(|&cut| cut <= input.len()).collect();
            cuts.sort_unstable();
            prop_assert_eq!(run_with(&mut parser, input, &cuts, wanted), run(input, &[], wanted));
        }
    }

    #[test]
    fn any_bytes_are_survived(input in proptest::collection::vec(any::<u8>(), 0..300), cuts in proptest::collection::vec(0usize..300, 0..6)) {
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut <= input.len()).collect();
        cuts.sort_unstable();
        // Only that it ends, without panic, with what the assertions inside promise.
        drop(run(&input, &cuts, WANTED));
    }

    #[test]
    fn the_split_does_not_matter(input in almost_http(), cuts in proptest::collection::vec(0usize..150, 0..6)) {
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut <= input.len()).collect();
        cuts.sort_unstable();
        prop_assert_eq!(run(&input, &cuts, WANTED), run(&input, &[], WANTED));
    }
}
