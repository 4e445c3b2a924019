//! Tokens of the families without a login of their own.

use poem::Request;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use trafficlab_shared::config::{ApiToken, Config, Role};

use super::access::Access;
use super::guard::header_of;
use crate::systems::{Code, Fault};

/// Refuses a request without the credential that `access` asks for; comes back with the token's name.
pub(crate) fn check<'a>(config: &'a Config, request: &Request, access: Access) -> Result<Option<&'a str>, Fault> {
    let Access::Token(needed) = access else {
        return Ok(None);
    };
    if config.auth.open || config.is_loopback_only() {
        return Ok(None);
    }
    let Some(presented) = presented(request) else {
        return Err(Fault::new(Code::Unauthorized, "A token is needed: `Authorization: Bearer …`"));
    };
    let Some(token) = find(&config.auth.api_tokens, presented) else {
        return Err(Fault::new(Code::Unauthorized, "The token is not known"));
    };
    if token.role < needed {
        let message = format!("The token may {}; this needs one that may {}", role(token.role), role(needed));
        return Err(Fault::new(Code::Forbidden, message));
    }
    Ok(Some(&token.name))
}

fn presented(request: &Request) -> Option<&str> {
    let bearer = header_of(request, "authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer.or_else(|| header_of(request, "x-api-key"))
}

/// Looks at every token whatever the earlier ones gave, so that the time tells nothing.
fn find<'a>(tokens: &'a [ApiToken], presented: &str) -> Option<&'a ApiToken> {
    let digest = Sha256::digest(presented.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut found = None;
    for token in tokens {
        let known = token.sha256.to_ascii_lowercase();
        if bool::from(known.as_bytes().ct_eq(hex.as_bytes())) {
            found = Some(token);
        }
    }
    found
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Read => "read",
        Role::Operate => "operate",
        Role::Admin => "administrate",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_shared::config::{Purpose, Sources};

    fn config(listen: &str) -> Config {
        let text = format!("listen = [\"{listen}\"]");
        let sources = Sources { flags: text.parse().unwrap(), ..Sources::default() };
        let mut config = Config::load(&sources, Purpose::Print).unwrap();
        let token = |name: &str, role| {
            let sha256 = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect();
            ApiToken { name: name.to_owned(), role, sha256 }
        };
        config.auth.api_tokens = vec![token("reader", Role::Read), token("boss", Role::Admin)];
        config
    }

    fn code(listen: &str, token: Option<&str>, role: Role) -> Option<Code> {
        let mut request = Request::builder();
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        check(&config(listen), &request.finish(), Access::Token(role)).err().map(|fault| fault.code)
    }

    #[test]
    fn loopback_is_open() {
        assert_eq!(code("127.0.0.1:1", None, Role::Admin), None);
    }

    #[test]
    fn elsewhere_a_token_of_the_role_is_needed() {
        let outside = "10.0.0.1:1";
        assert_eq!(code(outside, None, Role::Read), Some(Code::Unauthorized));
        assert_eq!(code(outside, Some("guess"), Role::Read), Some(Code::Unauthorized));
        assert_eq!(code(outside, Some("reader"), Role::Read), None);
        assert_eq!(code(outside, Some("reader"), Role::Operate), Some(Code::Forbidden));
        assert_eq!(code(outside, Some("boss"), Role::Operate), None);
    }
}
