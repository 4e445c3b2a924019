//! Which credential a request needs, by its path and method.

use poem::http::Method;
use trafficlab_shared::config::Role;

use super::adops::PREFIX;
use crate::systems::adops::imports::IMPORT_PATH as TABLE_PATH;
use crate::systems::visits::transfer::IMPORT_PATH;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Public,
    /// Visits come from any page: browsers of other sites are welcome too.
    Ingest,
    /// The ad-ops family checks its own tokens.
    Adops,
    /// A token of this role, unless the server is open.
    Token(Role),
}

const PUBLIC: [&str; 6] = ["/", "/docs", "/redoc", "/openapi.json", "/health", "/favicon.ico"];

/// Live capture, logs and configuration, for reading too.
const ADMIN: [&str; 3] = ["/api/control/capture", "/api/control/logs", "/api/control/config"];

/// Whole lives of visits: people's data, and retention.
const PEOPLE: [&str; 2] = ["/api/visits/gdpr", "/api/visits/prune"];

/// The access that `method` on `path` needs.
pub(crate) fn needed(method: &Method, path: &str) -> Access {
    if path.starts_with("/visit") || path == "/api/event" {
        return Access::Ingest;
    }
    if PUBLIC.contains(&path) || path.starts_with("/health/") || path.starts_with("/share/") {
        return Access::Public;
    }
    if path.starts_with(PREFIX) {
        return Access::Adops;
    }
    if ADMIN.iter().any(|begins| path.starts_with(begins)) && !path.starts_with("/api/control/capture/status") {
        return Access::Token(Role::Admin);
    }
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => Access::Token(Role::Read),
        Method::DELETE => Access::Token(Role::Admin),
        _ if path.starts_with("/api/cluster/") || path.ends_with("/import") => Access::Token(Role::Admin),
        _ if PEOPLE.iter().any(|begins| path.starts_with(begins)) => Access::Token(Role::Admin),
        _ => Access::Token(Role::Operate),
    }
}

/// Whether the request brings a file, which may take its time as long as it moves.
pub(crate) fn is_upload(method: &Method, path: &str) -> bool {
    method == Method::POST && ["/api/captures", IMPORT_PATH, TABLE_PATH].contains(&path.trim_end_matches('/'))
}

/// The pages a person may come to by a link from elsewhere.
pub(crate) fn is_page(path: &str) -> bool {
    matches!(path, "/" | "/docs" | "/redoc") || path.starts_with("/share/")
}

#[cfg(test)]
mod tests {
    use super::*;

    // checklist 89: `/metrics` is the installation's, whose tokens are not those of tenants.
    #[test]
    fn roles_follow_the_contract() {
        let table = [
            (Method::GET, "/health/live", Access::Public),
            (Method::GET, "/share/0123", Access::Public),
            (Method::GET, "/api/visits/breakdown", Access::Token(Role::Read)),
            (Method::POST, "/api/visits/shares", Access::Token(Role::Operate)),
            (Method::DELETE, "/api/visits/sites/a.example", Access::Token(Role::Admin)),
            (Method::GET, "/metrics", Access::Token(Role::Read)),
            (Method::GET, "/api/traffic/monitor/x", Access::Token(Role::Read)),
            (Method::POST, "/api/traffic/generate", Access::Token(Role::Operate)),
            (Method::PUT, "/api/sessions/x", Access::Token(Role::Operate)),
            (Method::DELETE, "/api/sessions/x", Access::Token(Role::Admin)),
            (Method::POST, "/api/cluster/workers/w/drain", Access::Token(Role::Admin)),
            (Method::GET, "/api/metrics/", Access::Token(Role::Read)),
            (Method::POST, "/api/metrics/compute", Access::Token(Role::Operate)),
            (Method::POST, "/api/captures/", Access::Token(Role::Operate)),
            (Method::DELETE, "/api/captures/x", Access::Token(Role::Admin)),
            (Method::GET, "/api/control/status", Access::Token(Role::Read)),
            (Method::GET, "/api/control/capture/status", Access::Token(Role::Read)),
            (Method::POST, "/api/control/capture/start", Access::Token(Role::Admin)),
            (Method::POST, "/api/control/capture/stop", Access::Token(Role::Admin)),
            (Method::GET, "/api/control/logs", Access::Token(Role::Admin)),
            (Method::GET, "/api/control/config", Access::Token(Role::Admin)),
            (Method::POST, "/api/v1/auth/login", Access::Adops),
            (Method::POST, "/visit", Access::Ingest),
            (Method::GET, "/api/visits/export", Access::Token(Role::Read)),
            (Method::POST, "/api/visits/import", Access::Token(Role::Admin)),
            (Method::DELETE, "/api/visits/import/x", Access::Token(Role::Admin)),
            (Method::POST, "/api/visits/gdpr/export", Access::Token(Role::Admin)),
            (Method::POST, "/api/visits/gdpr/erase", Access::Token(Role::Admin)),
            (Method::POST, "/api/visits/prune", Access::Token(Role::Admin)),
        ];
        for (method, path, expected) in table {
            assert_eq!(needed(&method, path), expected, "{method} {path}");
        }
    }
}
