//! The routes of the family and what each asks for: written here once more, so that a change of a right is seen.

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// No credential.
    Nothing,
    /// Any role.
    Viewer,
    /// An analyst.
    Analyst,
    /// A manager.
    Manager,
    /// An admin.
    Admin,
    /// A person, not a key.
    Person,
    /// An admin, not a key.
    PersonAdmin,
}

impl Needs {
    /// Its word in the documentation.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "public",
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Manager => "manager",
            Self::Admin => "admin",
            Self::Person => "person",
            Self::PersonAdmin => "person_admin",
        }
    }

    /// The least role.
    pub(super) const fn role(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Viewer | Self::Person => Some("viewer"),
            Self::Analyst => Some("analyst"),
            Self::Manager => Some("manager"),
            Self::Admin | Self::PersonAdmin => Some("admin"),
        }
    }

    /// Whether API keys will do.
    pub(super) const fn takes_keys(self) -> bool {
        !matches!(self, Self::Person | Self::PersonAdmin)
    }
}

/// Method, path and what it asks for.
pub(super) const ROUTES: &[(&str, &str, Needs)] = &[
    ("get", "/api/v1/analytics/campaigns", Needs::Viewer),
    ("get", "/api/v1/analytics/cohorts", Needs::Viewer),
    ("post", "/api/v1/analytics/export", Needs::Analyst),
    ("get", "/api/v1/analytics/export/download/{token}", Needs::Analyst),
    ("delete", "/api/v1/analytics/export/{export_id}", Needs::Analyst),
    ("get", "/api/v1/analytics/export/{export_id}", Needs::Analyst),
    ("get", "/api/v1/analytics/exports", Needs::Analyst),
    ("get", "/api/v1/analytics/kpis", Needs::Viewer),
    ("get", "/api/v1/analytics/labels", Needs::Viewer),
    ("get", "/api/v1/analytics/pacing", Needs::Viewer),
    ("get", "/api/v1/analytics/platforms", Needs::Viewer),
    ("get", "/api/v1/analytics/timeseries", Needs::Viewer),
    ("get", "/api/v1/api-keys", Needs::Person),
    ("post", "/api/v1/api-keys", Needs::Person),
    ("delete", "/api/v1/api-keys/{id}", Needs::Person),
    ("get", "/api/v1/audit", Needs::Admin),
    ("post", "/api/v1/auth/forgot-password", Needs::Nothing),
    ("post", "/api/v1/auth/login", Needs::Nothing),
    ("post", "/api/v1/auth/logout", Needs::Person),
    ("get", "/api/v1/auth/me", Needs::Person),
    ("put", "/api/v1/auth/me", Needs::Person),
    ("post", "/api/v1/auth/refresh", Needs::Nothing),
    ("post", "/api/v1/auth/register", Needs::Nothing),
    ("post", "/api/v1/auth/reset-password", Needs::Nothing),
    ("get", "/api/v1/campaigns", Needs::Viewer),
    ("post", "/api/v1/campaigns", Needs::Manager),
    ("get", "/api/v1/campaigns/bulk", Needs::Viewer),
    ("post", "/api/v1/campaigns/bulk", Needs::Manager),
    ("post", "/api/v1/campaigns/bulk/{bulk_id}/undo", Needs::Manager),
    ("delete", "/api/v1/campaigns/{campaign_id}", Needs::Manager),
    ("get", "/api/v1/campaigns/{campaign_id}", Needs::Viewer),
    ("put", "/api/v1/campaigns/{campaign_id}", Needs::Manager),
    ("get", "/api/v1/campaigns/{campaign_id}/history", Needs::Viewer),
    ("delete", "/api/v1/campaigns/{campaign_id}/labels", Needs::Manager),
    ("post", "/api/v1/campaigns/{campaign_id}/labels", Needs::Manager),
    ("get", "/api/v1/campaigns/{campaign_id}/metrics", Needs::Viewer),
    ("post", "/api/v1/campaigns/{campaign_id}/metrics", Needs::Manager),
    ("get", "/api/v1/campaigns/{campaign_id}/metrics/restatements", Needs::Viewer),
    ("post", "/api/v1/campaigns/{campaign_id}/restore", Needs::Manager),
    ("get", "/api/v1/campaigns/{campaign_id}/traffic", Needs::Viewer),
    ("put", "/api/v1/campaigns/{campaign_id}/traffic", Needs::Manager),
    ("delete", "/api/v1/campaigns/{campaign_id}/traffic/{session_id}", Needs::Manager),
    ("post", "/api/v1/gdpr/anonymise", Needs::Person),
    ("post", "/api/v1/gdpr/anonymize", Needs::Person),
    ("get", "/api/v1/gdpr/consents", Needs::Person),
    ("put", "/api/v1/gdpr/consents", Needs::Person),
    ("get", "/api/v1/gdpr/erasures", Needs::PersonAdmin),
    ("post", "/api/v1/gdpr/export", Needs::Person),
    ("get", "/api/v1/gdpr/export/download/{token}", Needs::Person),
    ("get", "/api/v1/gdpr/retention", Needs::PersonAdmin),
    ("put", "/api/v1/gdpr/retention", Needs::PersonAdmin),
    ("delete", "/api/v1/gdpr/user/{user_id}", Needs::Person),
    ("get", "/api/v1/integrations", Needs::Admin),
    ("delete", "/api/v1/integrations/{platform}", Needs::Admin),
    ("get", "/api/v1/integrations/{platform}", Needs::Admin),
    ("put", "/api/v1/integrations/{platform}", Needs::Admin),
    ("get", "/api/v1/labels", Needs::Viewer),
    ("post", "/api/v1/metrics/import", Needs::Manager),
    ("get", "/api/v1/metrics/imports", Needs::Viewer),
    ("get", "/api/v1/reports", Needs::Manager),
    ("post", "/api/v1/reports", Needs::Manager),
    ("delete", "/api/v1/reports/{id}", Needs::Manager),
    ("get", "/api/v1/reports/{id}", Needs::Manager),
    ("put", "/api/v1/reports/{id}", Needs::Manager),
    ("post", "/api/v1/reports/{id}/send", Needs::Manager),
    ("get", "/api/v1/tenant", Needs::Viewer),
    ("put", "/api/v1/tenant", Needs::Admin),
    ("get", "/api/v1/users", Needs::PersonAdmin),
    ("post", "/api/v1/users", Needs::PersonAdmin),
    ("delete", "/api/v1/users/{id}", Needs::PersonAdmin),
    ("get", "/api/v1/users/{id}", Needs::PersonAdmin),
    ("put", "/api/v1/users/{id}", Needs::PersonAdmin),
    ("get", "/api/v1/views", Needs::Person),
    ("post", "/api/v1/views", Needs::Person),
    ("delete", "/api/v1/views/{id}", Needs::Person),
    ("get", "/api/v1/views/{id}", Needs::Person),
    ("put", "/api/v1/views/{id}", Needs::Person),
];
