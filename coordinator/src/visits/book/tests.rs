//! Goals, funnels and links are kept, found and removed.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::sync::atomic::Ordering;

use super::asking::Asking;
use super::goals::NewGoal;
use super::{BookFault, funnels, goals, shares};
use crate::store::visit_settings::{StepRecord, Target};
use crate::store::{Batch, Store};

fn goal(name: &str) -> NewGoal {
    NewGoal { name: name.into(), target: Target::Event(name.into()), currency: Some("EUR".into()) }
}

#[tokio::test]
async fn goals_belong_to_their_site() {
    let store = Store::in_memory().unwrap();
    let first = goals::add(&store, "a.example", goal("Signup")).await.unwrap();
    let second = goals::add(&store, "a.example", goal("Buy")).await.unwrap();
    goals::add(&store, "a.example.org", goal("Signup")).await.unwrap();
    let taken = goals::add(&store, "a.example", goal("Buy")).await;
    assert!(matches!(taken, Err(BookFault::Taken(name)) if name == "Buy"));
    assert_eq!(goals::list(&store, "a.example").unwrap(), [first.clone(), second.clone()]);
    assert!(goals::remove(&store, &first.id).await.unwrap());
    assert!(!goals::remove(&store, &first.id).await.unwrap());
    assert_eq!(goals::list(&store, "a.example").unwrap(), [second]);
    let mut batch = Batch::new();
    goals::forget(&store, "a.example", &mut batch).unwrap();
    store.apply(batch).unwrap();
    assert!(goals::list(&store, "a.example").unwrap().is_empty());
    assert_eq!(goals::list(&store, "a.example.org").unwrap().len(), 1);
}

#[tokio::test]
async fn funnels_are_found_by_their_id() {
    let store = Store::in_memory().unwrap();
    let step = |path: &str| StepRecord { name: path.into(), target: Target::Path(path.into()), goal: None };
    let made = funnels::add(&store, "a.example", "Buying".into(), vec![step("/"), step("/cart")]).await.unwrap();
    let again = funnels::add(&store, "a.example", "Buying".into(), Vec::new()).await;
    assert!(matches!(again, Err(BookFault::Taken(_))));
    assert_eq!(funnels::find(&store, &made.id).unwrap(), Some(("a.example".into(), made.clone())));
    assert!(funnels::remove(&store, &made.id).await.unwrap());
    assert_eq!(funnels::find(&store, &made.id).unwrap(), None);
}

#[tokio::test]
async fn a_link_opens_with_its_token_until_it_is_over_or_revoked() {
    let store = Store::in_memory().unwrap();
    let (share, token) = shares::add(&store, "a.example", "board".into(), Some(1000)).await.unwrap();
    let (other, lasting) = shares::add(&store, "b.example", "press".into(), None).await.unwrap();
    assert_eq!(token.len(), 32);
    assert_ne!(token, lasting);
    assert_eq!(shares::find(&store, &token, 999).unwrap(), Some(share.clone()));
    assert_eq!(shares::find(&store, &token, 1000).unwrap(), None);
    assert_eq!(shares::find(&store, "guess", 0).unwrap(), None);
    assert_eq!(shares::list(&store, Some("a.example")).unwrap(), [share]);
    assert_eq!(shares::list(&store, None).unwrap().len(), 2);
    assert!(shares::remove(&store, &other.id).await.unwrap());
    assert_eq!(shares::find(&store, &lasting, 0).unwrap(), None);
}

#[tokio::test]
async fn questions_wait_for_their_turn_and_hear_when_nobody_listens() {
    let asking = Asking::default();
    let (first, second) = (asking.turn().await.unwrap(), asking.turn().await.unwrap());
    let work = first.work();
    drop(first);
    assert!(work.stop.load(Ordering::Relaxed));
    // The client is gone, its thread is not: nobody else begins.
    assert!(futures_util::FutureExt::now_or_never(asking.turn()).is_none());
    drop(work);
    assert!(futures_util::FutureExt::now_or_never(asking.turn()).is_some());
    drop(second);
}
