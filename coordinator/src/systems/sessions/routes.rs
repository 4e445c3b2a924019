//! The endpoints of the sessions document.

use std::sync::Arc;

use poem::http::HeaderMap;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::service;
use super::types::{Deleted, Session, SessionBody};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Change, Lookup, Plain, Refused};
use crate::http::idempotency::Repeatable;
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::traffic::lookup;

/// A page of sessions at the most.
const MOST: usize = 10_000;

/// The sessions endpoints.
pub struct SessionsApi(pub Arc<App>);

type Body = JsonBody<Map<String, Value>, SessionBody>;

#[OpenApi(tag = "Tag::Sessions")]
impl SessionsApi {
    /// Create a session
    ///
    /// An `Idempotency-Key` header makes a repeated request answer what the first one did.
    #[oai(path = "/api/sessions/", method = "post", operation_id = "createSession")]
    async fn create(&self, headers: &HeaderMap, body: Body) -> Result<Reply<Session, 201>, Refused<Change>> {
        let repeat = Repeatable::read(headers, "session", body.digest)?;
        Ok(Reply::new(&service::create(&self.0, &body.value, repeat).await?)?)
    }

    /// List all sessions, oldest first; `X-Total-Count` says how many there are
    #[oai(path = "/api/sessions/", method = "get", operation_id = "listSessions")]
    async fn list(
        &self,
        /// At most this many
        Query(limit): Query<Option<u32>>,
        /// Leave out this many
        Query(offset): Query<Option<u32>>,
    ) -> Result<Reply<Vec<Session>>, Refused<Plain>> {
        let size = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
        let (page, total) =
            service::list(self.0.store(), size(limit).unwrap_or(MOST).min(MOST), size(offset).unwrap_or(0))?;
        Ok(Reply::new(&page)?.header("x-total-count", total))
    }

    /// One session
    #[oai(path = "/api/sessions/:session_id", method = "get", operation_id = "getSession")]
    async fn get(&self, Path(session_id): Path<String>) -> Result<Reply<Session>, Refused<Lookup>> {
        Ok(Reply::new(&Session::from(lookup::campaign(self.0.store(), &session_id)?))?)
    }

    /// Change a session; all fields are optional
    ///
    /// While traffic is generated only rate, length and name can change; the run follows from its next second on.
    #[oai(path = "/api/sessions/:session_id", method = "put", operation_id = "updateSession")]
    async fn update(&self, Path(session_id): Path<String>, body: Body) -> Result<Reply<Session>, Refused<Change>> {
        Ok(Reply::new(&service::update(&self.0, &session_id, &body.value).await?)?)
    }

    /// Delete a session and everything it generated; a running one needs `?force=true`
    #[oai(path = "/api/sessions/:session_id", method = "delete", operation_id = "deleteSession")]
    async fn delete(
        &self,
        Path(session_id): Path<String>,
        /// Stop it first when it runs
        Query(force): Query<Option<bool>>,
    ) -> Result<Json<Deleted>, Refused<Change>> {
        service::delete(&self.0, &session_id, force.unwrap_or(false)).await?;
        Ok(Json(Deleted { success: true, message: "Session deleted successfully".to_owned() }))
    }
}
