//! The body of a sign-in: a form, as the document shows it, or JSON.

use poem::http::header;
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};
use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;

use crate::http::body;
use crate::http::error::into_poem;
use crate::systems::{Code, Fault, Outcome};

/// What the forms of OAuth 2 carry besides; they have no meaning here.
const OAUTH: [&str; 4] = ["grant_type", "scope", "client_id", "client_secret"];

/// Who signs in
#[derive(Object)]
#[oai(rename = "Credentials")]
struct Documented {
    /// The e-mail address; JSON may call it `email`
    username: String,
    /// The password
    password: String,
}

/// Who signs in. It cannot be printed.
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: String,
}

impl<'a> ApiExtractor<'a> for Credentials {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Documented::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let media = |content_type| MetaMediaType { content_type, schema: Documented::schema_ref() };
        let content = vec![media("application/x-www-form-urlencoded"), media("application/json")];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(request: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
        let form = is_form(content_type.unwrap_or_default());
        if let Some(found) = content_type.filter(|value| !form && !body::is_json(value)) {
            let found = found.escape_default();
            let message = format!("The body must be a form or JSON, not `{found}`");
            return Err(into_poem(Fault::new(Code::UnsupportedMediaType, message)));
        }
        let bytes = body::bytes(request, body).await?;
        let read = if form { of_form(&bytes) } else { body::parse(&bytes) };
        read.and_then(|members| of_members(&members)).map_err(into_poem)
    }
}

fn is_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn of_form(bytes: &[u8]) -> Outcome<Map<String, Value>> {
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(bytes) {
        if members.contains_key(name.as_ref()) {
            return Err(Fault::field(name, "is there twice"));
        }
        members.insert(name.into_owned(), value.into_owned().into());
    }
    Ok(members)
}

fn of_members(members: &Map<String, Value>) -> Outcome<Credentials> {
    let mut faults = Vec::new();
    let mut text = |name: &str, value: Option<&Value>| match value {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(Value::String(_) | Value::Null) | None => {
            faults.push(FieldFault::new(name, "is needed"));
            String::new()
        }
        Some(_) => {
            faults.push(FieldFault::new(name, "must be a text"));
            String::new()
        }
    };
    let username = text("username", members.get("username").or_else(|| members.get("email")));
    let password = text("password", members.get("password"));
    if members.contains_key("username") && members.contains_key("email") {
        faults.push(FieldFault::new("email", "is `username` under another name; send one of them"));
    }
    let known =
        |name: &String| ["username", "email", "password"].contains(&name.as_str()) || OAUTH.contains(&name.as_str());
    let unknown = members.keys().filter(|name| !known(name));
    faults.extend(unknown.map(|name| FieldFault::new(name.clone(), "unknown field")));
    if faults.is_empty() { Ok(Credentials { username, password }) } else { Err(Fault::validation(faults)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn fields(members: Outcome<Map<String, Value>>) -> Result<(String, String), Vec<String>> {
        match members.and_then(|members| of_members(&members)) {
            Ok(read) => Ok((read.username, read.password)),
            Err(fault) => Err(fault.details.into_iter().map(|detail| detail.field).collect()),
        }
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let form = b"grant_type=password&username=a%2Bb%40example.com&password=p%26+%C3%A9%3D&scope=";
        assert_eq!(fields(of_form(form)), Ok(("a+b@example.com".to_owned(), "p& \u{e9}=".to_owned())));
        assert_eq!(fields(of_form(b"username=a&username=b&password=c")), Err(vec!["username".to_owned()]));
        assert_eq!(fields(of_form(b"")), Err(vec!["username".to_owned(), "password".to_owned()]));
        assert_eq!(fields(of_form(b"username=a&password=b&x=1")), Err(vec!["x".to_owned()]));
    }

    #[test]
    fn json_may_say_email() {
        let json = |text: &str| body::parse::<Map<String, Value>>(text.as_bytes());
        let read = Ok(("a".to_owned(), "b".to_owned()));
        assert_eq!(fields(json(r#"{"email":"a","password":"b"}"#)), read);
        assert_eq!(fields(json(r#"{"username":"a","password":"b"}"#)), read);
        assert_eq!(fields(json(r#"{"username":"a","password":7}"#)), Err(vec!["password".to_owned()]));
        assert_eq!(fields(json(r#"{"username":"a","email":"b","password":"c"}"#)), Err(vec!["email".to_owned()]));
    }
}
