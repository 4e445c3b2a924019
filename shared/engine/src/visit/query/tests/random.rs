//! Random visitors, questions and ways to part the data: the engine answers what the definitions say.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{effort, reference, sets};
use crate::visit::column::Traffic;
use crate::visit::property::Property;
use crate::visit::query::{answer, funnel, retention, scan};
use crate::visit::question::{
    Answer, Bots, Filter, Goal, GoalTarget, Group, Operator, Question, SESSION_GAP_MS, TrafficSet,
};
use crate::visit::record::{Acquisition, Agent, Page, Place, Visit};

/// A midnight.
const DAY: i64 = 1_792_972_800_000;
const HOUR: i64 = 3_600_000;

const PROPERTIES: [&str; 17] = [
    "event:hostname",
    "event:page",
    "event:name",
    "event:goal",
    "event:props:plan",
    "visit:entry_page",
    "visit:exit_page",
    "visit:referrer",
    "visit:source",
    "visit:channel",
    "visit:utm_campaign",
    "visit:click_id",
    "visit:country",
    "visit:city",
    "visit:browser",
    "visit:device",
    "visit:campaign",
];

fn visit() -> impl Strategy<Value = Visit<'static>> {
    let page =
        (select(vec!["a.example", "b.example"]), select(vec!["/", "/blog", "/blog/one", "/blog/one/two", "/shop"]))
            .prop_map(|(host, path)| Page { host, path });
    let agent = (
        select(vec!["Firefox", "Chrome", ""]),
        select(vec!["Desktop", "Mobile"]),
        select(vec!["", "", "", "library: curl"]),
    )
        .prop_map(|(browser, device, bot)| Agent { browser, device, bot, ..Agent::default() });
    let acquisition =
        (select(vec!["", "Google", "x.example"]), select(vec!["", "spring", "/a/b"]), select(vec!["", "gclid"]))
            .prop_map(|(source, utm_campaign, click_kind)| Acquisition {
                source,
                channel: if source.is_empty() { "Direct" } else { "Organic Search" },
                referrer: source,
                utm_campaign,
                click_kind,
                ..Acquisition::default()
            });
    let place = select(vec![("", ""), ("DE", "Berlin"), ("DE", ""), ("NZ", "Waitangi")])
        .prop_map(|(country, city)| Place { country, city, ..Place::default() });
    let event = select(vec![
        ("pageview", "", 0, ""),
        ("pageview", "", 0, ""),
        ("pageview", r#"{"a":"1","plan":"free"}"#, 0, ""),
        ("Signup", r#"{"plan":"free"}"#, 0, ""),
        ("Signup", r#"{"other":"x"}"#, 5_000_000, "EUR"),
        ("Purchase", r#"{"plan":"big"}"#, 12_340_000, "EUR"),
        ("Purchase", "", -1, "USD"),
    ]);
    let whose = select(vec![
        (Traffic::Real, ""),
        (Traffic::Real, ""),
        (Traffic::Real, ""),
        (Traffic::Synthetic, "c1"),
        (Traffic::Unverified, "c2"),
    ]);
    (page, agent, acquisition, place, event, whose).prop_map(|(page, agent, acquisition, place, event, whose)| Visit {
        page,
        agent,
        acquisition,
        place,
        event: event.0,
        props: event.1,
        revenue_micros: event.2,
        currency: event.3,
        traffic: whose.0,
        campaign: whose.1,
        ..Visit::default()
    })
}

/// A visitor's events about midnight, with gaps on both sides of what parts sessions. Half of the time the visitor does
/// not change the browser and so on, as in life.
fn visitor() -> impl Strategy<Value = Vec<Visit<'static>>> {
    let gaps = vec![1, 1000, 60_000, SESSION_GAP_MS - 1, SESSION_GAP_MS, SESSION_GAP_MS + 1, 2 * HOUR, 24 * HOUR];
    let events = prop::collection::vec((visit(), select(gaps)), 1..9);
    (events, -2 * HOUR..HOUR, any::<bool>()).prop_map(|(events, begin, steady)| {
        let (first, mut time_ms) = (events[0].0, DAY + begin);
        let mut made = Vec::new();
        for (visit, gap) in events {
            time_ms += gap;
            let visit = Visit { time_ms, ..visit };
            let like_first =
                Visit { agent: first.agent, acquisition: first.acquisition, traffic: first.traffic, ..visit };
            made.push(if steady { like_first } else { visit });
        }
        made
    })
}

/// Visits in several data sets, in any order and with the same visitor in many of them.
fn data() -> impl Strategy<Value = Vec<Vec<Visit<'static>>>> {
    let visitors = prop::collection::vec((visitor(), any::<u64>()), 0..12);
    (visitors, 1..5_usize, any::<u64>(), any::<bool>()).prop_map(|(visitors, sets, seed, one_slice)| {
        let mut made = vec![Vec::new(); sets];
        let mut pick = seed | 1;
        for (number, (events, visitor)) in (0_u64..).zip(visitors) {
            let visitor = if one_slice { (7 << 56) | number } else { visitor };
            for event in events {
                pick = pick.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ (pick >> 31);
                let set = usize::try_from(pick >> 33).unwrap() % sets;
                made[set].push(Visit { visitor, ..event });
            }
        }
        made
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let values = vec![
        "/",
        "/blog*",
        "/blog/*",
        "/blog/**",
        "**o**",
        "Firefox",
        "Google",
        "",
        "DE",
        "free",
        "Signup",
        "a.example",
        "c1",
        "Desktop",
        "Read",
    ];
    let operators = vec![Operator::Is, Operator::IsNot, Operator::Contains, Operator::ContainsNot];
    (select(&PROPERTIES[..]), select(operators), subsequence(values, 0..4)).prop_map(|(name, operator, values)| {
        Filter {
            property: Property::parse(name).unwrap(),
            operator,
            values: values.into_iter().map(str::to_owned).collect(),
        }
    })
}

fn group() -> impl Strategy<Value = Group> {
    prop_oneof![
        1 => Just(Group::None),
        8 => select(&PROPERTIES[..]).prop_map(|name| Group::Property(Property::parse(name).unwrap())),
        2 => select(vec![60_000_i64 * 7, HOUR, 24 * HOUR]).prop_map(|step| Group::Time(starts(step))),
        1 => Just(Group::Time(vec![DAY, DAY + 1, DAY + HOUR])),
    ]
}

fn starts(step: i64) -> Vec<i64> {
    (0..60).map(|number| DAY - 3 * HOUR + number * step).collect()
}

fn goals() -> Vec<Goal> {
    let goal = |name: &str, target| Goal { name: name.to_owned(), target };
    vec![
        goal("Read", GoalTarget::Path("/blog/**".into())),
        goal("Signup", GoalTarget::Event("Signup".into())),
        goal("Anything", GoalTarget::Event("pageview".into())),
        goal("Anything", GoalTarget::Path("/shop".into())),
        goal("Never", GoalTarget::Event("Never".into())),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    let range =
        select(vec![(DAY - 100 * HOUR, DAY + 1000 * HOUR), (DAY, DAY + 24 * HOUR), (DAY - 24 * HOUR, DAY), (DAY, DAY)]);
    let bots = select(vec![Bots::Exclude, Bots::Include, Bots::Only]);
    let traffic = (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(real, synthetic, unverified)| TrafficSet {
        real,
        synthetic,
        unverified,
    });
    let traffic = prop_oneof![Just(TrafficSet::default()), traffic];
    (range, prop::collection::vec(filter(), 0..3), bots, traffic, group()).prop_map(
        |(range, filters, bots, traffic, group)| Question {
            from_ms: range.0,
            until_ms: range.1,
            filters,
            bots,
            traffic,
            group,
            goals: goals(),
        },
    )
}

/// Groups by property come in no order.
fn sorted(mut answer: Answer, question: &Question) -> Answer {
    if !matches!(question.group, Group::Time(_)) {
        answer.groups.sort_by(|one, other| one.0.cmp(&other.0));
    }
    answer
}

fn all(data: &[Vec<Visit<'static>>]) -> Vec<Visit<'static>> {
    data.iter().flatten().copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_what_the_definitions_say(data in data(), question in question()) {
        let found = answer(&sets(&data), &question, &effort()).unwrap();
        prop_assert_eq!(sorted(found, &question), reference::answer(&all(&data), &question));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_those_that_count(data in data(), question in question()) {
        let mut found = Vec::new();
        let mut each = |visit: &Visit<'_>| {
            found.push(format!("{visit:?}"));
            std::ops::ControlFlow::Continue(())
        };
        scan(&sets(&data), &question, &effort(), &mut each).unwrap();
        let mut expected: Vec<String> = reference::rows(&all(&data), &question).iter().map(|visit| format!("{visit:?}")).collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn funnels_and_cohorts_are_what_the_definitions_say(data in data(), question in question(), order in Just(goals()).prop_shuffle()) {
        let steps: Vec<GoalTarget> = order.into_iter().map(|goal| goal.target).take(3).collect();
        let found = funnel(&sets(&data), &question, &steps, &effort()).unwrap();
        prop_assert_eq!(found, reference::funnel(&all(&data), &question, &steps));
        let starts: Vec<i64> = starts(12 * HOUR).into_iter().take(20).collect();
        let found = retention(&sets(&data), &question, &starts, &effort()).unwrap();
        prop_assert_eq!(found, reference::retention(&all(&data), &question, &starts));
    }
}
