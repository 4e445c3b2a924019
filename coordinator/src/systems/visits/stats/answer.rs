//! Asking the engine: in turn, beside the requests' threads, and no longer than somebody waits.

use std::sync::Arc;

use jiff::tz::TimeZone;
use trafficlab_engine::visit::data::{DataFault, Slices};
use trafficlab_engine::visit::query::{self, Effort};
use trafficlab_engine::visit::question::{Answer, Question};

use super::wrong;
use crate::http::App;
use crate::systems::{Code, Fault, Outcome, blocking};
use crate::visits::book::asking::{Busy, Work};
use crate::visits::store::VisitsError;

/// Distinct values that a question may be split by.
const MOST_GROUPS: usize = 500_000;

/// A question about one site.
#[derive(Debug, Clone)]
pub struct Query {
    /// The site.
    pub site: String,
    /// Where its days begin.
    pub zone: TimeZone,
    /// What is asked.
    pub question: Question,
}

/// The engine's figures, and whether imported ones are among them.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Figures.
    pub answer: Answer,
    /// Whether days of an import were added.
    pub imported: bool,
}

/// The answers to all questions, in order.
///
/// # Errors
/// 503 when too many ask, 422 when there are too many values, and what reading brings.
pub async fn ask(app: &Arc<App>, queries: Vec<Query>) -> Outcome<Vec<Answered>> {
    work(app, move |app, work| queries.iter().map(|query| one(app, query, work)).collect()).await
}

/// Runs `task` when it is its turn. Its `Work` says when nobody waits any more.
///
/// # Errors
/// 503 when too many ask, and what `task` answers.
pub async fn work<T: Send + 'static>(
    app: &Arc<App>,
    task: impl FnOnce(&App, &Work) -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    let turn = app.visits.asking.turn().await.map_err(|Busy| {
        let message = "Too many questions are asked at once; try again soon";
        Fault { retry_after: Some(2), ..Fault::new(Code::Unavailable, message) }
    })?;
    let (app, work) = (Arc::clone(app), turn.work());
    blocking(move || task(&app, &work)).await
}

fn one(app: &App, query: &Query, work: &Work) -> Outcome<Answered> {
    let data = data(app, &query.site, &query.question)?;
    let mut answer = query::answer(&data, &query.question, &effort(work)).map_err(fault)?;
    let imported = app.visits.imported.add_to(&query.site, &query.question, &query.zone, &mut answer);
    let imported = imported.map_err(|error| Fault::internal("imported figures cannot be read", &error))?;
    Ok(Answered { answer, imported })
}

/// The stored visits that a question is about.
///
/// # Errors
/// When they cannot be read.
pub fn data(app: &App, site: &str, question: &Question) -> Outcome<Vec<Arc<dyn Slices>>> {
    let data = app.visits.store.data(site, question.from_ms, question.until_ms);
    data.map_err(|error: VisitsError| Fault::internal("stored visits cannot be read", &error))
}

/// What a question may take.
#[must_use]
pub fn effort(work: &Work) -> Effort<'_> {
    Effort { threads: work.threads, stop: &work.stop, most_groups: MOST_GROUPS }
}

/// Why the engine gave no answer, for the caller.
#[must_use]
pub fn fault(fault: DataFault) -> Fault {
    match fault {
        DataFault::TooManyGroups(most) => {
            wrong("property", format!("has more than {most} values in this time; narrow the question by filters"))
        }
        DataFault::Stopped => Fault::new(Code::Unavailable, "The question was given up"),
        other => Fault::internal("a question about visits", &other),
    }
}
