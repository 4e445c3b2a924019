//! The endpoints of the ad-operations family. Which credential each asks for stands in its own arguments.

use std::sync::Arc;

use crate::http::App;
use crate::systems::adops::analytics::routes::AnalyticsApi;
use crate::systems::adops::audit::routes::AuditApi;
use crate::systems::adops::auth::routes::AuthApi;
use crate::systems::adops::bulk::routes::AdBulkApi;
use crate::systems::adops::campaigns::label_routes::AdLabelsApi;
use crate::systems::adops::campaigns::routes::AdCampaignsApi;
use crate::systems::adops::exports::routes::AdExportsApi;
use crate::systems::adops::imports::routes::ImportsApi;
use crate::systems::adops::integrations::routes::IntegrationsApi;
use crate::systems::adops::keys::routes::KeysApi;
use crate::systems::adops::metrics::routes::CampaignMetricsApi;
use crate::systems::adops::metrics::traffic::LinkedTrafficApi;
use crate::systems::adops::privacy::routes::PrivacyApi;
use crate::systems::adops::reports::routes::ReportsApi;
use crate::systems::adops::tenant::routes::TenantApi;
use crate::systems::adops::users::routes::UsersApi;
use crate::systems::adops::views::routes::ViewsApi;

/// Ad operations.
pub(crate) type Adops = (AuthApi, UsersApi, Settings, Campaigns, Figures, PrivacyApi);
/// Keys, settings and what goes on by itself for a tenant.
type Settings = (KeysApi, TenantApi, IntegrationsApi, ViewsApi, ReportsApi, AuditApi);
/// Campaigns and the ways their days come in.
type Campaigns = (AdCampaignsApi, AdLabelsApi, AdBulkApi, CampaignMetricsApi, LinkedTrafficApi, ImportsApi);
/// What is told of them.
type Figures = (AnalyticsApi, AdExportsApi);

/// The endpoints with their state.
pub(crate) fn apis(app: &Arc<App>) -> Adops {
    let app = || Arc::clone(app);
    (
        AuthApi(app()),
        UsersApi(app()),
        (KeysApi(app()), TenantApi(app()), IntegrationsApi(app()), ViewsApi(app()), ReportsApi(app()), AuditApi(app())),
        (
            AdCampaignsApi(app()),
            AdLabelsApi(app()),
            AdBulkApi(app()),
            CampaignMetricsApi(app()),
            LinkedTrafficApi(app()),
            ImportsApi(app()),
        ),
        (AnalyticsApi(app()), AdExportsApi(app())),
        PrivacyApi(app()),
    )
}
