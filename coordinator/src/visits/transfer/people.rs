//! All visits of a person: shown, or erased from every file.
//!
//! A person is whom visits were sent for with a `user_id`. Visits without one have no person: their visitor's number was
//! made with a salt that is gone after two days.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use trafficlab_engine::visit::column::{ColumnSet, Dict};
use trafficlab_engine::visit::data::{Columns, DataFault, SLICES, Slices, slice_of};
use trafficlab_engine::visit::record::Visit;
use trafficlab_engine::visit::view::{self, RowView};

use super::super::Visits;
use super::super::store::VisitsError;

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Erased {
    pub(crate) rows: u64,
    pub(crate) sites: u64,
}

/// Hands out every visit of a person, of one site or of all. Blocks.
///
/// # Errors
/// When visits cannot be read.
pub(crate) fn each_visit(
    visits: &Visits,
    user_id: &str,
    site: Option<&str>,
    mut take: impl FnMut(&Visit<'_>) -> ControlFlow<()>,
) -> Result<(), VisitsError> {
    for site in sites(visits, site) {
        let data = visits.store.data(&site, i64::MIN, i64::MAX)?;
        let person = visitors(visits, &site, user_id, &data)?;
        for part in &data {
            if of_part(&**part, &site, &person, &mut take)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Erases every visit of a person, of one site or of all, durably. Blocks.
///
/// # Errors
/// When files cannot be read or written; what was erased by then stays erased.
pub(crate) fn erase(visits: &Visits, user_id: &str, site: Option<&str>) -> Result<Erased, VisitsError> {
    let mut erased = Erased::default();
    for site in sites(visits, site) {
        let data = visits.store.data(&site, i64::MIN, i64::MAX)?;
        let person: Vec<u64> = visitors(visits, &site, user_id, &data)?.into_iter().collect();
        // Open files would keep what is erased on the disk.
        drop(data);
        let rows = visits.store.erase(Some(&site), &person)?;
        erased.rows = erased.rows.saturating_add(rows);
        erased.sites += u64::from(rows > 0);
    }
    Ok(erased)
}

fn sites(visits: &Visits, site: Option<&str>) -> Vec<String> {
    match site {
        Some(site) => vec![site.to_owned()],
        None => visits.store.sites().into_iter().map(|(site, _)| site).collect(),
    }
}

/// The numbers that the person has on a site: the one that the keys give today, and those of visits that were stored
/// with the id itself.
fn visitors(
    visits: &Visits,
    site: &str,
    user_id: &str,
    data: &[Arc<dyn Slices>],
) -> Result<BTreeSet<u64>, VisitsError> {
    let mut found = BTreeSet::from([visits.intake.visitor_of_user(site, user_id)]);
    let mut columns = Columns::default();
    for part in data {
        let users = part.dictionary(Dict::User)?;
        let codes: Vec<u32> =
            (1..).zip(users.iter().skip(1)).filter(|(_, user)| *user == user_id).map(|(code, _)| code).collect();
        if codes.is_empty() {
            continue;
        }
        for slice in (0..SLICES).filter_map(|slice| u8::try_from(slice).ok()) {
            part.load(slice, ColumnSet::default().with(Dict::User), &mut columns)?;
            let users = columns.codes.get(Dict::User.index()).into_iter().flatten();
            let own = columns.visitor.iter().zip(users).filter(|(_, code)| codes.contains(code));
            found.extend(own.map(|(visitor, _)| *visitor));
        }
    }
    Ok(found)
}

fn of_part(
    part: &dyn Slices,
    site: &str,
    person: &BTreeSet<u64>,
    take: &mut impl FnMut(&Visit<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, DataFault> {
    let dictionaries = view::dictionaries(part)?;
    let slices: BTreeSet<u8> = person.iter().map(|visitor| slice_of(*visitor)).collect();
    let mut columns = Columns::default();
    for slice in slices {
        part.load(slice, ColumnSet::all(), &mut columns)?;
        for at in 0..columns.len() {
            let row = RowView::new(&columns, at, &dictionaries);
            if person.contains(&row.visitor()) && take(&row.visit(site)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}
