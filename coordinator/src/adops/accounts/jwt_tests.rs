//! Tests of access tokens: everything but our own, unchanged and at its time is refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_800_000_000;

fn key() -> Key {
    Key::new(b"0123456789abcdef0123456789abcdef").unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: "7".to_owned(),
        tenant_id: 3,
        role: "viewer".to_owned(),
        jti: "one".to_owned(),
        iat: NOW,
        nbf: NOW,
        exp: NOW + LIFETIME_S,
        kind: "access".to_owned(),
        generation: 0,
        sid: "00".to_owned(),
    }
}

fn judge(token: &str, now_s: u64) -> Result<Claims, Refusal> {
    read(&[key()], token, now_s).map(|(claims, _)| claims)
}

/// A token of any header and payload, signed with our own key.
fn signed(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(payload));
    let mac = key().mac.chain_update(&text).finalize().into_bytes();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn header(alg: &str) -> Value {
    json!({"alg": alg, "typ": "JWT", "kid": key().kid})
}

#[test]
fn our_own_tokens_are_taken() {
    let token = key().sign(&claims()).unwrap();
    assert_eq!(judge(&token, NOW), Ok(claims()));
    assert_eq!(judge(&signed(&header("HS256"), &json!(claims())), NOW), Ok(claims()));
    // checklist 14
    assert_eq!(claims().exp - claims().iat, 1800);
}

// checklist 1, 3
#[test]
fn other_algorithms_are_refused_even_with_a_right_signature() {
    for alg in ["none", "None", "NONE", "", "RS256", "HS512", "HS384", "ES256", "hs256"] {
        let token = signed(&header(alg), &json!(claims()));
        assert_eq!(judge(&token, NOW), Err(Refusal::Invalid), "{alg}");
        let (bare, _) = token.rsplit_once('.').unwrap();
        assert_eq!(judge(&format!("{bare}."), NOW), Err(Refusal::Invalid), "{alg} unsigned");
        assert_eq!(judge(bare, NOW), Err(Refusal::Invalid), "{alg} in two parts");
    }
    assert_eq!(judge(&signed(&json!({"kid": key().kid}), &json!(claims())), NOW), Err(Refusal::Invalid));
}

// checklist 2
#[test]
fn a_token_of_another_key_is_refused_whatever_key_it_names() {
    let mut other = Key::new(b"another secret of thirty-two bytes").unwrap();
    assert_eq!(judge(&other.sign(&claims()).unwrap(), NOW), Err(Refusal::Invalid));
    other.kid = key().kid;
    assert_eq!(judge(&other.sign(&claims()).unwrap(), NOW), Err(Refusal::Invalid));
}

// checklist 4, 5
#[test]
fn times_are_checked_with_a_leeway_of_half_a_minute() {
    let token = key().sign(&claims()).unwrap();
    let end = NOW + LIFETIME_S + LEEWAY_S;
    const { assert!(LEEWAY_S <= 60) };
    assert!(judge(&token, end - 1).is_ok());
    assert_eq!(judge(&token, end), Err(Refusal::Expired));
    assert!(judge(&token, NOW - LEEWAY_S).is_ok());
    assert_eq!(judge(&token, NOW - LEEWAY_S - 1), Err(Refusal::Invalid));
    for name in ["iat", "nbf"] {
        let mut payload = json!(claims());
        payload[name] = json!(NOW + LEEWAY_S + 1);
        assert_eq!(judge(&signed(&header("HS256"), &payload), NOW), Err(Refusal::Invalid), "{name}");
    }
}

// checklist 6, 7, 8
#[test]
fn a_claim_that_is_missing_or_not_ours_is_refused() {
    for name in ["iss", "aud", "sub", "tenant_id", "jti", "iat", "nbf", "exp", "type", "gen", "sid"] {
        let mut payload = json!(claims());
        payload.as_object_mut().unwrap().remove(name);
        assert_eq!(judge(&signed(&header("HS256"), &payload), NOW), Err(Refusal::Invalid), "without {name}");
    }
    for (name, value) in [("iss", "another"), ("aud", "another"), ("type", "refresh"), ("jti", "")] {
        let mut payload = json!(claims());
        payload[name] = json!(value);
        assert_eq!(judge(&signed(&header("HS256"), &payload), NOW), Err(Refusal::Invalid), "{name}");
    }
}

// checklist 9
#[test]
fn addresses_of_keys_are_not_looked_at() {
    let mut with_more = header("HS256");
    with_more["jku"] = json!("http://127.0.0.1:1/keys");
    with_more["x5u"] = json!("file:///etc/passwd");
    assert_eq!(judge(&signed(&with_more, &json!(claims())), NOW), Ok(claims()));
    for kid in ["/dev/null", "../../etc/passwd", "http://127.0.0.1:1/", ""] {
        let mut other = header("HS256");
        other["kid"] = json!(kid);
        assert_eq!(judge(&signed(&other, &json!(claims())), NOW), Err(Refusal::Invalid), "{kid}");
    }
}

// checklist 10
#[test]
fn a_payload_under_a_signature_of_another_is_refused() {
    let token = key().sign(&claims()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    for (name, value) in [("tenant_id", json!(4)), ("role", json!("admin")), ("sub", json!("8"))] {
        let mut payload = json!(claims());
        payload[name] = value;
        let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(payload.to_string()), parts[2]);
        assert_eq!(judge(&forged, NOW), Err(Refusal::Invalid), "{name}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused(text in ".{0,200}") {
        prop_assert_eq!(judge(&text, NOW), Err(Refusal::Invalid));
    }

    #[test]
    fn any_three_parts_are_refused(header in "[a-zA-Z0-9_=-]{0,80}", payload in "[a-zA-Z0-9_-]{0,200}", end in "[a-zA-Z0-9_-]{0,43}") {
        prop_assert_eq!(judge(&format!("{header}.{payload}.{end}"), NOW), Err(Refusal::Invalid));
    }

    #[test]
    fn one_changed_letter_is_refused(at in any::<prop::sample::Index>(), letter in "[a-zA-Z0-9_.-]") {
        let token = key().sign(&claims()).unwrap();
        let at = at.index(token.len());
        let mut letters: Vec<char> = token.chars().collect();
        let new = letter.chars().next().unwrap();
        prop_assume!(letters[at] != new);
        letters[at] = new;
        let changed: String = letters.into_iter().collect();
        prop_assert_eq!(judge(&changed, NOW), Err(Refusal::Invalid));
    }
}
