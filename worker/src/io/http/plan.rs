//! Everything about a shard's requests that is the same for all of them.

use std::time::Duration;

use thiserror::Error;
use trafficlab_shared::allow::{Refusal, TargetGuard};
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::run::HttpVersion;
use trafficlab_shared::target::{TargetUrl, check_headers, check_method, is_safe_value};
use trafficlab_shared::template::TemplateError;

use super::parser::Wanted;
use super::request::RequestProgram;
use super::{ResponseChecks, TlsRoots};

/// Requests at once on an HTTP/2 connection when nobody says otherwise.
pub const DEFAULT_STREAMS: usize = 32;

/// Caps of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once, at least 1.
    pub connections: usize,
    /// The most tickets that wait for a connection.
    pub queue: usize,
    /// For name resolution, connect and TLS handshake together.
    pub connect_timeout: Duration,
    /// From the first write to the last byte, redirects included.
    pub request_timeout: Duration,
    /// How many redirects are followed.
    pub max_redirects: u8,
    /// Whether a connection serves many requests, one after the other; else each is closed after one.
    pub keep_alive: bool,
    /// The most requests at once on an HTTP/2 connection, at least 1; the server may permit fewer.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            queue: 1024,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            max_redirects: 0,
            keep_alive: true,
            streams: DEFAULT_STREAMS,
        }
    }
}

/// What a plan is made from.
#[derive(Debug, Clone)]
pub struct PlanSpec {
    /// What the connections speak.
    pub version: HttpVersion,
    /// `GET` and so on.
    pub method: String,
    /// The target; its path may hold templates.
    pub url: TargetUrl,
    /// The campaign's headers; values may hold templates.
    pub headers: Vec<(String, String)>,
    /// The campaign's body; may hold templates.
    pub body: Option<String>,
    /// Goes into `X-Synthetic-Traffic`.
    pub campaign_id: String,
    /// First part of `X-Synthetic-Id`.
    pub run_id: String,
    /// Second part of `X-Synthetic-Id`.
    pub shard: u32,
    /// Caps and time-outs.
    pub limits: Limits,
    /// What counts as a success.
    pub checks: ResponseChecks,
    /// Which addresses may be connected to.
    pub guard: TargetGuard,
    /// Whom TLS trusts.
    pub tls: TlsRoots,
    /// Bytes of each response's body that come back in its `Done`; 0 for none.
    pub keep_body: usize,
}

/// Why no plan can be made.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The allow-list says no without asking the network.
    #[error("{0}")]
    Refused(Refusal),
    /// A field is wrong.
    #[error("`{}`: {}", .0.field, .0.message)]
    Field(FieldFault),
    /// A template cannot be read.
    #[error("`{field}`: {error}")]
    Template {
        /// Where it stands.
        field: String,
        /// What is wrong.
        error: TemplateError,
    },
}

/// A checked plan with the request bytes prepared.
pub struct RequestPlan {
    pub(super) version: HttpVersion,
    pub(super) url: TargetUrl,
    pub(super) program: RequestProgram,
    pub(super) limits: Limits,
    pub(super) request_timeout_ns: u64,
    pub(super) wanted: Wanted,
    pub(super) checks: ResponseChecks,
    pub(super) guard: TargetGuard,
    pub(super) tls: TlsRoots,
    pub(super) keep_body: usize,
}

impl RequestPlan {
    /// Checks the spec and prepares the request bytes.
    ///
    /// # Errors
    /// A [`PlanError`] when the target is off the allow-list or a part of the request must not be sent.
    pub fn new(spec: PlanSpec) -> Result<Self, PlanError> {
        spec.guard.check_name(&spec.url.host, spec.url.port).map_err(PlanError::Refused)?;
        check_method(&spec.method, "config.method").map_err(PlanError::Field)?;
        let headers = spec.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if let Some(fault) = check_headers(headers, "config.headers").into_iter().next() {
            return Err(PlanError::Field(fault));
        }
        for (field, id) in [("campaign_id", &spec.campaign_id), ("run_id", &spec.run_id)] {
            if id.is_empty() || !is_safe_value(id.as_bytes()) {
                return Err(PlanError::Field(FieldFault::new(field, "is empty or contains a control character")));
            }
        }
        let program = RequestProgram::new(&spec)?;
        let limits = Limits {
            connections: spec.limits.connections.max(1),
            // A connection that is closed after one request has no use for a second stream.
            streams: if spec.limits.keep_alive { spec.limits.streams.max(1) } else { 1 },
            ..spec.limits
        };
        let wanted = Wanted {
            answers_head: program.is_head(),
            location: limits.max_redirects > 0,
            body: spec.keep_body > 0 || spec.checks.body_contains.is_some(),
        };
        Ok(Self {
            version: spec.version,
            url: spec.url,
            program,
            limits,
            request_timeout_ns: u64::try_from(limits.request_timeout.as_nanos()).unwrap_or(u64::MAX),
            wanted,
            checks: spec.checks,
            guard: spec.guard,
            tls: spec.tls,
            keep_body: spec.keep_body,
        })
    }

    /// The target.
    #[must_use]
    pub const fn url(&self) -> &TargetUrl {
        &self.url
    }

    /// The caps and time-outs.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }
}
