//! The endpoint of the audit log.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use trafficlab_engine::ads::day::Day;
use trafficlab_shared::error::FieldFault;

use super::types::{EntryView, view};
use crate::adops::UserId;
use crate::adops::audit::log::{self, Filter};
use crate::adops::tenant::{self, Tenant};
use crate::http::App;
use crate::http::adops::granted::{Administer, Granted};
use crate::http::error::{Refused, Tenanted};
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;
use crate::systems::{Code, Fault, Outcome, blocking};

/// The endpoint of the audit log.
pub struct AuditApi(pub Arc<App>);

type Text = Query<Option<String>>;

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Accounts")]
impl AuditApi {
    /// Who changed what, the newest first
    ///
    /// Every change of the tenant's is here, and what was refused where that matters. Entries cannot be changed.
    #[oai(path = "/api/v1/audit", method = "get", operation_id = "adAudit")]
    async fn list(
        &self,
        who: Granted<Administer>,
        /// From 1
        Query(page): Text,
        /// 1 to 100, 20 by default
        Query(page_size): Text,
        /// `campaign.updated`, or `campaign` for all of its kind
        Query(action): Text,
        /// The kind of thing, such as `campaign`
        Query(object): Text,
        /// The thing's id
        Query(id): Text,
        /// The person who did it, by session or API key
        Query(user_id): Text,
        /// `true` for what was refused, `false` for what was done
        Query(refused): Text,
        /// First day, in the tenant's time zone
        Query(date_from): Text,
        /// Last day
        Query(date_to): Text,
    ) -> Result<Json<Envelope<Vec<EntryView>>>, Refused<Tenanted>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let tenant = tenant::get(self.0.store(), &who.actor)?;
        let asked = Asked { user_id, refused, date_from, date_to };
        let filter = Filter { action, object, id, ..asked.filter(&tenant)? };
        let (store, id) = (self.0.store().clone(), who.actor.tenant);
        let read = move || Ok(log::list(&store, id, &filter, page.skipped(), page.size())?);
        let (found, total) = blocking(read).await?;
        let shown = found.iter().map(|(at, entry)| view(*at, entry)).collect();
        Ok(Json(Envelope::page(shown, page.pagination(total))))
    }
}

/// The parameters that are more than text.
struct Asked {
    user_id: Option<String>,
    refused: Option<String>,
    date_from: Option<String>,
    date_to: Option<String>,
}

impl Asked {
    fn filter(&self, tenant: &Tenant) -> Outcome<Filter> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: &str| faults.push(FieldFault::new(field, message));
        let user = self.user_id.as_deref().map(str::parse::<u64>);
        if let Some(Err(_)) = user {
            fault("user_id", "must be a whole number");
        }
        let refused = self.refused.as_deref().map(str::parse::<bool>);
        if let Some(Err(_)) = refused {
            fault("refused", "must be `true` or `false`");
        }
        let mut day = |name: &str, text: &Option<String>| {
            let day = text.as_deref().map(Day::parse);
            if day == Some(None) {
                fault(name, "must be a date such as 2024-12-31");
            }
            day.flatten()
        };
        let (from, to) = (day("date_from", &self.date_from), day("date_to", &self.date_to));
        if !faults.is_empty() {
            return Err(Fault::validation(faults));
        }
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            let fault = Fault::new(Code::Unprocessable, format!("`date_from` ({from}) is after `date_to` ({to})"));
            return Err(fault.detail("date_from", "must not be after date_to"));
        }
        Ok(Filter {
            user: user.and_then(Result::ok).map(UserId),
            refused: refused.and_then(Result::ok),
            from_ns: from.map(|day| tenant.begin_of(day)),
            before_ns: to.map(|day| tenant.begin_of(day.plus(1))),
            ..Filter::default()
        })
    }
}
