//! The right that a route asks for, as the type of an argument: without one a handler has no [`Actor`], and without an
//! actor nothing of a tenant can be reached.

use std::marker::PhantomData;

use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

pub use super::front::Caller;
use crate::adops::{Actor, Role, Who};
use crate::http::error::into_poem;
use crate::systems::{Code, Fault};

/// What a route asks of its caller.
pub trait Right: Send + Sync + 'static {
    /// The least role.
    const ROLE: Role;
    /// Whether API keys will do.
    const KEYS: bool;
    /// Its name in the documentation.
    const NAME: &'static str;
    /// Its description there.
    const DESCRIPTION: &'static str;
}

macro_rules! right {
    ($(#[$doc:meta])* $name:ident, $role:expr, $keys:literal, $word:literal, $description:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Right for $name {
            const ROLE: Role = $role;
            const KEYS: bool = $keys;
            const NAME: &'static str = $word;
            const DESCRIPTION: &'static str = $description;
        }
    };
}

right!(
    /// Everybody of the tenant.
    Read, Role::Viewer, true, "viewer", "An access token or API key of any role"
);
right!(
    /// Exports and predictions.
    Analyse, Role::Analyst, true, "analyst", "An access token or API key of an analyst, manager or admin"
);
right!(
    /// Writes campaigns.
    Manage, Role::Manager, true, "manager", "An access token or API key of a manager or admin"
);
right!(
    /// Changes the tenant's settings.
    Administer, Role::Admin, true, "admin", "An access token or API key of an admin"
);
right!(
    /// A signed-in person, for what is theirs: never a key.
    Person, Role::Viewer, false, "person", "An access token of any role; API keys are refused"
);
right!(
    /// A signed-in admin, for users and personal data: never a key.
    Govern, Role::Admin, false, "person_admin", "An access token of an admin; API keys are refused"
);

/// The caller of a route that asks for `R`.
#[derive(Debug)]
pub struct Granted<R> {
    /// Who it is.
    pub actor: Actor,
    right: PhantomData<fn() -> R>,
}

impl<'a, R: Right> ApiExtractor<'a> for Granted<R> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = MetaSecurityScheme {
            ty: "http",
            description: Some(R::DESCRIPTION),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(R::NAME, scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![R::NAME]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let actor = request.data::<Actor>().cloned();
        let Some(actor) = actor else {
            return Err(into_poem(Fault::new(Code::Unauthorized, "A token is needed: `Authorization: Bearer …`")));
        };
        if actor.role < R::ROLE {
            let message =
                format!("This needs the role `{}`; the token has `{}`", R::ROLE.as_str(), actor.role.as_str());
            return Err(into_poem(Fault::new(Code::Forbidden, message)));
        }
        if !R::KEYS && matches!(actor.who, Who::Key(..)) {
            return Err(into_poem(Fault::new(Code::Forbidden, "API keys may not do this; sign in")));
        }
        Ok(Self { actor, right: PhantomData })
    }
}

impl<'a> FromRequest<'a> for Caller {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let caller = request.data::<Self>().cloned();
        caller.ok_or_else(|| into_poem(Fault::internal("request", &"a route of the family lies outside its path")))
    }
}
