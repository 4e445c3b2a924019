//! Reading the parameters that questions share.

use std::collections::BTreeSet;

use trafficlab_engine::ads::bucket::Granularity;
use trafficlab_engine::ads::compare::Earlier;
use trafficlab_engine::ads::day::Days;
use trafficlab_shared::clock;
use trafficlab_shared::error::FieldFault;

use crate::adops::analytics::ground::{Ground, Scope};
use crate::adops::analytics::range::read_range;
use crate::adops::campaign::Platform;
use crate::adops::tenant::Tenant;
use crate::adops::{Actor, CampaignId};
use crate::http::App;
use crate::systems::{Code, Fault, Outcome};

/// Most campaigns that can be named.
const NAMED: usize = 1000;

/// The parameters that all questions share, as they stand in the query.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) date_from: Option<String>,
    pub(super) date_to: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) label: Option<String>,
    pub(super) campaign_ids: Option<String>,
    pub(super) synthetic: Option<String>,
}

/// A question of a tenant, read.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) tenant: Tenant,
    pub(super) ground: Ground,
    pub(super) now_ns: u64,
}

/// A parameter whose value is one of some words.
pub(super) fn word<T>(
    name: &str,
    text: Option<&str>,
    known: impl IntoIterator<Item = (&'static str, T)>,
) -> Result<Option<T>, FieldFault> {
    let Some(text) = text else { return Ok(None) };
    let mut words = Vec::new();
    for (word, value) in known {
        if word == text {
            return Ok(Some(value));
        }
        words.push(word);
    }
    Err(FieldFault::new(name, format!("must be one of {}", words.join(", "))))
}

/// `granularity` or `interval` of time series.
pub(super) fn granularity(text: Option<&str>) -> Result<Granularity, FieldFault> {
    let known = Granularity::ALL.map(|known| (known.as_str(), known));
    Ok(word("granularity", text, known)?.unwrap_or(Granularity::Daily))
}

/// `compare_period`.
pub(super) fn compare(text: Option<&str>) -> Result<Option<Earlier>, FieldFault> {
    word("compare_period", text, Earlier::ALL.map(|known| (known.as_str(), known)))
}

impl Asked {
    /// Reads everything and takes the campaigns it is about. `own` are mistakes of the question's own parameters; all are
    /// told together. `usual` gives the days when none are said.
    ///
    /// # Errors
    /// `validation_error`, `unprocessable_entity` for the days, `not_found` for a campaign that is not the tenant's.
    pub(super) fn read(
        &self,
        app: &App,
        actor: &Actor,
        own: Vec<FieldFault>,
        usual: Option<fn(&Tenant, u64) -> Days>,
    ) -> Outcome<Question> {
        let tenant = Tenant::get(app.store(), actor.tenant)?
            .ok_or_else(|| Fault::internal("tenant", &"the credential's tenant is not stored"))?;
        let now_ns = clock::wall_ns();
        let days = match usual.filter(|_| self.date_from.is_none() && self.date_to.is_none()) {
            Some(usual) => Ok(usual(&tenant, now_ns)),
            None => read_range(&tenant, self.date_from.as_deref(), self.date_to.as_deref(), now_ns),
        };
        let scope = self.scope(own, days)?;
        let book = &app.adops.book;
        let foreign = |id: &&CampaignId| book.get(actor.tenant, **id).is_none();
        if let Some(id) = scope.campaigns.iter().flatten().find(foreign) {
            return Err(Fault::not_found(format!("Campaign `{id}` not found")));
        }
        let exchange = std::sync::Arc::clone(&app.adops.questions.exchange);
        let ground = Ground::new(book, actor.tenant, scope, tenant.currency, exchange);
        Ok(Question { tenant, ground, now_ns })
    }

    fn scope(&self, mut faults: Vec<FieldFault>, days: Outcome<Days>) -> Outcome<Scope> {
        let mut keep = |fault: FieldFault| faults.push(fault);
        let platforms = Platform::ALL.iter().map(|known| (known.as_str(), *known));
        let platform = word("platform", self.platform.as_deref(), platforms).map_err(&mut keep);
        let synthetic = word("synthetic", self.synthetic.as_deref(), [("true", true), ("false", false)]);
        let synthetic = synthetic.map_err(&mut keep);
        let campaigns = self.campaign_ids.as_deref().map(ids).transpose().map_err(&mut keep);
        let label = self.label.as_deref().map(str::trim).map(str::to_owned);
        let days = match days {
            Ok(days) => Some(days),
            // What is wrong alone comes before what is wrong together.
            Err(fault) if fault.code != Code::Validation && faults.is_empty() => return Err(fault),
            Err(fault) if fault.code != Code::Validation => None,
            Err(fault) => {
                faults.extend(fault.details);
                None
            }
        };
        match (days, platform, synthetic, campaigns) {
            (Some(days), Ok(platform), Ok(synthetic), Ok(campaigns)) if faults.is_empty() => {
                Ok(Scope { days, platform, label, campaigns, synthetic: synthetic.unwrap_or(false) })
            }
            _ => Err(Fault::validation(faults)),
        }
    }
}

/// Ids with commas between them.
fn ids(text: &str) -> Result<BTreeSet<CampaignId>, FieldFault> {
    let ids: Option<BTreeSet<CampaignId>> = text.split(',').map(|id| id.trim().parse().ok().map(CampaignId)).collect();
    ids.filter(|_| text.split(',').count() <= NAMED)
        .ok_or_else(|| FieldFault::new("campaign_ids", format!("must be at most {NAMED} whole numbers, such as 1,2,3")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_engine::ads::day::Day;

    fn days() -> Outcome<Days> {
        Ok(Days { first: Day(0), last: Day(9) })
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let text = |text: &str| Some(text.to_owned());
        let asked =
            Asked { platform: text("Meta"), campaign_ids: text("1,x"), synthetic: text("yes"), ..Asked::default() };
        let own = granularity(Some("hourly")).map_err(|fault| vec![fault]).unwrap_err();
        let fault = asked.scope(own, Err(Fault::field("date_to", "wrong"))).unwrap_err();
        let fields: Vec<_> = fault.details.iter().map(|detail| detail.field.as_str()).collect();
        assert_eq!(fields, ["granularity", "platform", "synthetic", "campaign_ids", "date_to"]);
    }

    #[test]
    fn words_and_ids_are_read() {
        let asked = Asked {
            platform: Some("meta".to_owned()),
            label: Some(" summer ".to_owned()),
            campaign_ids: Some("3, 1,3".to_owned()),
            synthetic: Some("true".to_owned()),
            ..Asked::default()
        };
        let scope = asked.scope(Vec::new(), days()).unwrap();
        let campaigns = Some(BTreeSet::from([CampaignId(1), CampaignId(3)]));
        let label = Some("summer".to_owned());
        let expected =
            Scope { days: days().unwrap(), platform: Some(Platform::Meta), label, campaigns, synthetic: true };
        assert_eq!(scope, expected);
        let many = vec!["1"; NAMED + 1].join(",");
        assert!(ids(&many).is_err() && ids("").is_err() && ids("-1").is_err());
    }

    #[test]
    fn what_is_wrong_alone_comes_before_what_is_wrong_together() {
        let together = || Err(Fault::new(Code::Unprocessable, "no"));
        let asked = Asked { platform: Some("x".to_owned()), ..Asked::default() };
        assert_eq!(asked.scope(Vec::new(), together()).unwrap_err().code, Code::Validation);
        assert_eq!(Asked::default().scope(Vec::new(), together()).unwrap_err().code, Code::Unprocessable);
    }
}
