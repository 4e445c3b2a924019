//! From Plausible's CSV to figures, over a restart, twice, cut at the site's own first day.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use jiff::tz::TimeZone;
use trafficlab_engine::visit::question::{Answer, Filter, Group, Operator, Question};

use super::plausible::{ExportFault, Taking};
use super::*;
use crate::store::visit_imports::ImportTally;

const VISITORS: &str = "\"date\",\"visitors\",\"pageviews\",\"bounces\",\"visits\",\"visit_duration\"\n\
    \"2023-02-09\",119,304,77,134,21070\n\"2023-02-10\",166,325,117,180,21467\nnonsense,1,1,1,1,1\n\
    \"2023-02-11\",x,1,1,1,1\n\"2023-02-12\",7,8,3,7,60\n";
const PAGES: &str = "date,hostname,page,visits,visitors,pageviews\n2023-02-09,example.com,/docs,8,7,11\n\
    2023-02-09,example.com,/blog/a,3,3,4\n2023-02-10,example.com,/docs,2,2,2\n";
const ENTRIES: &str =
    "date,entry_page,visitors,entrances,visit_duration,bounces,pageviews\n2023-02-09,/docs,7,7,114,5,8\n";

/// 2023-02-09.
const FIRST: i32 = 19_397;

fn import(imported: &Imported, id: &str, until: Option<i32>, tables: &[(&str, &str)]) -> ImportTally {
    let mut taking = Taking {
        writer: Some(imported.writer(id, "example.com").unwrap()),
        until,
        covered: imported.covered("example.com"),
        tally: ImportTally::default(),
        go_on: &mut |_| true,
        most_bytes: 1 << 20,
    };
    for (name, text) in tables {
        taking.table(name, None, &mut text.as_bytes()).unwrap();
    }
    let (writer, tally) = (taking.writer.take().unwrap(), taking.tally);
    imported.add(writer).unwrap();
    tally
}

fn property(name: &str) -> Property {
    Property::parse(name).unwrap()
}

#[test]
fn figures_come_out_as_they_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let imported = Imported::open(folder.path()).unwrap();
    let tally = import(&imported, "one", None, &[("v.csv", VISITORS), ("p.csv", PAGES), ("e.csv", ENTRIES)]);
    assert_eq!((tally.lines, tally.accepted, tally.skipped()), (9, 7, 2));
    assert_eq!(tally.skipped["unreadable"].examples[0].line, 4);
    assert_eq!(tally.skipped["unreadable"].examples[0].message, "`nonsense` is no date");
    drop(imported);

    let imported = Imported::open(folder.path()).unwrap();
    assert_eq!(imported.days("example.com"), Some(Days { first: FIRST, last: FIRST + 3 }));
    let all = imported.figures("example.com", FIRST..FIRST + 2, None).unwrap().unwrap();
    let total = Totals {
        visitors: 285,
        visits: 314,
        pageviews: 629,
        events: 629,
        bounces: 194,
        duration_ms: 42_537_000,
        ..Totals::default()
    };
    assert_eq!(all, [(String::new(), total)]);
    let pages = imported.figures("example.com", FIRST..FIRST + 9, Some(&property("event:page"))).unwrap().unwrap();
    let shown: Vec<_> = pages.iter().map(|(page, of)| (page.as_str(), of.visitors, of.pageviews, of.bounces)).collect();
    assert_eq!(shown, [("/blog/a", 3, 4, 0), ("/docs", 9, 13, 5)]);
    assert_eq!(imported.figures("example.com", 0..1, Some(&property("visit:channel"))).unwrap(), None);
    assert_eq!(imported.figures("other.example", 0..99_999, None).unwrap().unwrap(), []);
    assert!(imported.remove("one").unwrap() && !imported.remove("one").unwrap());
    assert_eq!(Imported::open(folder.path()).unwrap().sites(), [""; 0]);
}

#[test]
fn no_day_counts_twice() {
    let folder = tempfile::tempdir().unwrap();
    let imported = Imported::open(folder.path()).unwrap();
    let tally = import(&imported, "one", Some(FIRST + 3), &[("v.csv", VISITORS)]);
    assert_eq!((tally.accepted, tally.skipped["own_visits"].count), (2, 1));
    // The same days again, and a table that is new.
    let tally = import(&imported, "two", Some(FIRST + 3), &[("v.csv", VISITORS), ("p.csv", PAGES)]);
    assert_eq!((tally.accepted, tally.skipped["imported_before"].count), (3, 2));
    let all = imported.figures("example.com", FIRST..FIRST + 9, None).unwrap().unwrap();
    assert_eq!(all[0].1.visitors, 285);
}

#[test]
fn old_days_go() {
    let folder = tempfile::tempdir().unwrap();
    let imported = Imported::open(folder.path()).unwrap();
    import(&imported, "one", None, &[("v.csv", VISITORS), ("p.csv", PAGES)]);
    let visitors =
        |imported: &Imported| imported.figures("example.com", 0..99_999, None).unwrap().unwrap()[0].1.visitors;
    assert_eq!(imported.prune("example.com", FIRST, false).unwrap(), 0);
    imported.prune("example.com", FIRST + 1, true).unwrap();
    assert_eq!(visitors(&imported), 292);
    assert!(imported.prune("example.com", FIRST + 1, false).unwrap() > 0);
    let imported = Imported::open(folder.path()).unwrap();
    assert_eq!(visitors(&imported), 173);
    let pages = imported.figures("example.com", 0..99_999, Some(&property("event:page"))).unwrap().unwrap();
    assert_eq!(pages.len(), 1);
    imported.prune("example.com", FIRST + 99, false).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_an_interrupted_import_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let imported = Imported::open(folder.path()).unwrap();
    fs::write(folder.path().join("x.draft"), "half").unwrap();
    drop(imported.writer("y", "example.com").unwrap());
    drop(Imported::open(folder.path()).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn other_files_are_refused() {
    let mut go_on = |_: &ImportTally| true;
    let mut taking = Taking {
        writer: None,
        until: None,
        covered: HashMap::new(),
        tally: ImportTally::default(),
        go_on: &mut go_on,
        most_bytes: 1 << 20,
    };
    for text in ["", "a,b\n1,2\n", "visitors\n1\n", "\u{0}\u{1}\u{2}"] {
        let refused = taking.table("x.csv", None, &mut text.as_bytes());
        assert!(matches!(refused, Err(ExportFault::Unknown(_))), "{text:?}: {refused:?}");
    }
    let endless = "date,visitors\n".to_owned() + &"9".repeat(1 << 20);
    let refused = taking.table("x.csv", None, &mut endless.as_bytes());
    assert!(matches!(refused, Err(ExportFault::Io(_))), "{refused:?}");
}

#[test]
fn an_answer_gets_the_days_that_lie_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let imported = Imported::open(folder.path()).unwrap();
    import(&imported, "one", None, &[("v.csv", VISITORS), ("p.csv", PAGES)]);
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let midnight = |day: i64| (19_397 + day) * 86_400_000 - 3_600_000;
    let ask = |question: &Question, mut answer: Answer| {
        let added = imported.add_to("example.com", question, &zone, &mut answer).unwrap();
        (added, answer)
    };
    let mut question = Question { from_ms: midnight(0), until_ms: midnight(2), ..Question::default() };
    assert_eq!(ask(&question, Answer::default()).1.total.visitors, 285);
    // A day that is not whole does not count.
    question.from_ms += 1;
    assert_eq!(ask(&question, Answer::default()).1.total.visitors, 166);
    question.from_ms -= 1;

    question.group = Group::Time(vec![midnight(0), midnight(1)]);
    let own = Answer { groups: vec![(String::new(), Totals::default()); 2], ..Answer::default() };
    let (_, answer) = ask(&question, own.clone());
    assert_eq!(answer.groups.iter().map(|(_, of)| of.visitors).collect::<Vec<_>>(), [119, 166]);
    question.group = Group::Time(vec![midnight(0), midnight(0) + 3_600_000]);
    assert!(!ask(&question, own).0);

    question.group = Group::Property(property("event:page"));
    let docs = Totals { visitors: 1, ..Totals::default() };
    let own = Answer { groups: vec![("/docs".into(), docs)], ..Answer::default() };
    let (_, answer) = ask(&question, own.clone());
    assert_eq!(
        answer.groups.iter().map(|(page, of)| (page.as_str(), of.visitors)).collect::<Vec<_>>(),
        [("/docs", 10), ("/blog/a", 3)]
    );
    assert_eq!(answer.total.visitors, 285);

    let filter = |name: &str, value: &str| Filter {
        property: property(name),
        operator: Operator::Is,
        values: vec![value.to_owned()],
    };
    question.filters = vec![filter("event:page", "/blog/*")];
    let (_, answer) = ask(&question, Answer::default());
    assert_eq!((answer.groups.len(), answer.total.visitors), (1, 3));
    question.filters.push(filter("visit:source", "Google"));
    assert!(!ask(&question, own).0);
}
