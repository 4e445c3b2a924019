//! Who sees and writes which view.

#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::{Map, Value, json};

use super::*;
use crate::adops::users::tests::person;
use crate::systems::Code;

fn body(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn mine(name: &str) -> Map<String, Value> {
    body(&json!({"name": name, "page": "campaigns", "query": {"platform": "meta", "sort_by": "spend"}}))
}

#[tokio::test]
async fn own_and_shared_views_are_seen_and_only_some_written() {
    let store = Store::in_memory().unwrap();
    let (jane, john) = (person(&store, 1, 1, Role::Viewer).await, person(&store, 1, 2, Role::Manager).await);
    let (admin, stranger) = (person(&store, 1, 3, Role::Admin).await, person(&store, 2, 4, Role::Admin).await);
    let (id, view) = create(&store, &jane, &mine("Meta")).await.unwrap();
    assert_eq!(view.query.get("sort_by").map(String::as_str), Some("spend"));
    let seen = |actor: &Actor| list(&store, actor, None).unwrap().len();
    assert_eq!([&jane, &john, &admin, &stranger].map(seen), [1, 0, 0, 0]);
    for actor in [&john, &admin, &stranger] {
        assert_eq!(get(&store, actor, id).unwrap_err().code, Code::NotFound);
        assert_eq!(update(&store, actor, id, &mine("x")).await.unwrap_err().code, Code::NotFound);
        assert_eq!(remove(&store, actor, id).await.unwrap_err().code, Code::NotFound);
    }
    update(&store, &jane, id, &body(&json!({"shared": true, "id": 9, "user_id": 2}))).await.unwrap();
    assert_eq!([&jane, &john, &admin, &stranger].map(seen), [1, 1, 1, 0]);
    assert_eq!(update(&store, &john, id, &mine("x")).await.unwrap_err().code, Code::Forbidden);
    assert_eq!(remove(&store, &john, id).await.unwrap_err().code, Code::Forbidden);
    update(&store, &admin, id, &body(&json!({"name": "All of Meta"}))).await.unwrap();
    assert_eq!(get(&store, &john, id).unwrap().owner, UserId(1), "it stays hers");
    assert_eq!(list(&store, &john, Some(Page::Analytics)).unwrap().len(), 0);
    remove(&store, &admin, id).await.unwrap();
    assert_eq!(seen(&jane), 0);
}

#[tokio::test]
async fn a_name_is_one_view_of_a_person() {
    let store = Store::in_memory().unwrap();
    let (jane, john) = (person(&store, 1, 1, Role::Viewer).await, person(&store, 1, 2, Role::Manager).await);
    let (id, _) = create(&store, &jane, &mine("a")).await.unwrap();
    let (other, _) = create(&store, &jane, &mine("b")).await.unwrap();
    create(&store, &john, &mine("a")).await.unwrap();
    assert_eq!(create(&store, &jane, &mine("a")).await.unwrap_err().code, Code::Conflict);
    assert_eq!(update(&store, &jane, other, &mine("a")).await.unwrap_err().code, Code::Conflict);
    update(&store, &jane, id, &mine("a")).await.unwrap();
}

#[tokio::test]
async fn a_query_holds_what_its_page_knows() {
    let store = Store::in_memory().unwrap();
    let jane = person(&store, 1, 1, Role::Viewer).await;
    let fields = |fault: Fault| fault.details.into_iter().map(|detail| detail.field).collect::<Vec<_>>();
    let wrong = [
        (json!({}), vec!["name", "page", "query"]),
        (json!({"name": "x", "page": "rules", "query": {}}), vec!["page"]),
        (json!({"name": "x", "page": "campaigns", "query": {"sql": "1"}}), vec!["query.sql"]),
        (json!({"name": "x", "page": "campaigns", "query": {"search": 1}}), vec!["query.search"]),
        (json!({"name": "x", "page": "analytics", "query": {"status": "active"}}), vec!["query.status"]),
        (json!({"name": "x", "page": "analytics", "query": [], "owner": 1}), vec!["query", "owner"]),
    ];
    for (value, named) in wrong {
        assert_eq!(fields(create(&store, &jane, &body(&value)).await.unwrap_err()), named, "{value}");
    }
    let (id, _) = create(&store, &jane, &mine("x")).await.unwrap();
    update(&store, &jane, id, &body(&json!({"query": {"status": "active"}}))).await.unwrap();
    let moved = update(&store, &jane, id, &body(&json!({"page": "analytics"}))).await;
    assert_eq!(fields(moved.unwrap_err()), ["query.status"]);
}
