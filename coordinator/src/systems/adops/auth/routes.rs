//! The endpoints of registering, signing in, tokens and one's own account.

use std::sync::Arc;

use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::credentials::Credentials;
use super::types::{
    ForgotBody, LogoutBody, MeBody, MeView, Nothing, RefreshBody, RegisterBody, RegisteredView, ResetBody, TokensView,
};
use crate::adops::accounts::{Origin, asked};
use crate::http::App;
use crate::http::adops::credential;
use crate::http::adops::granted::{Caller, Granted, Person};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;

/// The endpoints of registering, signing in, tokens and one's own account.
pub struct AuthApi(pub Arc<App>);

type Body<D> = JsonBody<Map<String, Value>, D>;
type Answer<T> = Result<Json<Envelope<T>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Accounts")]
impl AuthApi {
    /// Register a tenant and its admin, who is signed in at once
    ///
    /// Whether anybody may is settled by `auth.registration`. A known address is 409.
    #[oai(path = "/api/v1/auth/register", method = "post", operation_id = "register")]
    async fn register(
        &self,
        caller: Caller,
        body: Body<RegisterBody>,
    ) -> Result<Reply<Envelope<RegisteredView>, 201>, Refused<Tenanted>> {
        let made = self.0.adops.accounts.register(self.0.store(), &body.value, &origin(&caller)).await?;
        Ok(Reply::new(&Envelope::done(RegisteredView::from(made), "The tenant was registered"))?)
    }

    /// Sign in
    ///
    /// A wrong password and an unknown address get the same answer. After five failures of an account from one network
    /// it is 429 with `Retry-After` for a quarter of an hour.
    #[oai(path = "/api/v1/auth/login", method = "post", operation_id = "login")]
    async fn login(&self, caller: Caller, body: Credentials) -> Result<Json<TokensView>, Refused<Tenanted>> {
        let accounts = &self.0.adops.accounts;
        let tokens = accounts.sign_in(self.0.store(), &body.username, &body.password, &origin(&caller)).await?;
        Ok(Json(tokens.into()))
    }

    /// Exchange a refresh token for new tokens
    ///
    /// A refresh token is good once. Showing a used one ends its session: somebody else may have it. Of two requests at
    /// once with one token one succeeds, and the other ends the session.
    #[oai(path = "/api/v1/auth/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(&self, caller: Caller, body: Body<RefreshBody>) -> Result<Json<TokensView>, Refused<Tenanted>> {
        let token = asked::refresh(&body.value)?;
        Ok(Json(self.0.adops.accounts.refresh(self.0.store(), token, &origin(&caller)).await?.into()))
    }

    /// Sign out: the session's tokens are good no more, access tokens included
    #[oai(path = "/api/v1/auth/logout", method = "post", operation_id = "logout")]
    async fn logout(&self, who: Granted<Person>, request: &Request, body: Body<LogoutBody>) -> Answer<Nothing> {
        let all = asked::logout(&body.value)?;
        let token = credential(request).unwrap_or_default();
        self.0.adops.accounts.sign_out(self.0.store(), &who.actor, token, all).await?;
        Ok(Json(Envelope::done(Nothing {}, if all { "All sessions have ended" } else { "The session has ended" })))
    }

    /// The signed-in person and their tenant
    #[oai(path = "/api/v1/auth/me", method = "get", operation_id = "me")]
    async fn me(&self, who: Granted<Person>) -> Answer<MeView> {
        let me = self.0.adops.accounts.me(self.0.store(), &who.actor)?;
        Ok(Json(Envelope::of(MeView::of(who.actor.tenant, me))))
    }

    /// Change one's own name or password
    #[oai(path = "/api/v1/auth/me", method = "put", operation_id = "changeMe")]
    async fn change_me(&self, who: Granted<Person>, body: Body<MeBody>) -> Answer<MeView> {
        let me = self.0.adops.accounts.change_me(self.0.store(), &who.actor, &body.value).await?;
        let message = if me.signed_out { "All sessions have ended; sign in again" } else { "The account was changed" };
        Ok(Json(Envelope::done(MeView::of(who.actor.tenant, me), message)))
    }

    /// Ask for a mail with a token for a new password
    ///
    /// The answer is the same whether there is such an account or not.
    #[oai(path = "/api/v1/auth/forgot-password", method = "post", operation_id = "forgotPassword")]
    async fn forgot(&self, caller: Caller, body: Body<ForgotBody>) -> Answer<Nothing> {
        self.0.adops.accounts.forgot(asked::forgot(&body.value)?, &origin(&caller))?;
        let message = "If there is an account with this address, a mail with further steps is on its way";
        Ok(Json(Envelope::done(Nothing {}, message)))
    }

    /// Set a new password by the token of a mail; all sessions end
    #[oai(path = "/api/v1/auth/reset-password", method = "post", operation_id = "resetPassword")]
    async fn reset(&self, caller: Caller, body: Body<ResetBody>) -> Answer<Nothing> {
        self.0.adops.accounts.reset(self.0.store(), &body.value, &origin(&caller)).await?;
        Ok(Json(Envelope::done(Nothing {}, "The password was changed; sign in with it")))
    }
}

fn origin(caller: &Caller) -> Origin<'_> {
    Origin { request_id: &caller.request_id, address: caller.address }
}
