//! The groups that the API's documentation shows.

use poem_openapi::Tags;

/// Groups in the documentation.
#[derive(Tags)]
pub enum Tag {
    /// Traffic generation
    Traffic,
    /// Generated data and figures
    Data,
    /// Traffic campaigns, which are sessions
    Sessions,
    /// Live streams and exports of captures
    Streams,
    /// Alert hooks
    Alerts,
    /// Captured packets: windows, anomalies, baselines, live capture
    Analyzer,
    /// Visits of web pages, and their figures
    Visits,
    /// Ad operations: signing in, people, keys and settings of a tenant
    Accounts,
    /// Ad operations: campaigns and their figures
    Ads,
    /// Ad operations: what is held about a person, and how it goes
    Privacy,
    /// Workers and messages set aside
    Cluster,
    /// Health and metrics
    Service,
}
