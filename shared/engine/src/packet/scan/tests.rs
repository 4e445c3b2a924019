//! Scans found, and what only looks like one.

use super::*;

const SECOND: i64 = 1_000_000_000;

fn target(src: u8, dst: u8, port: u16) -> Target {
    Target { src: [10, 0, 0, src].into(), dst: [10, 0, 1, dst].into(), port }
}

fn at(time_ns: i64) -> Moment {
    Moment { time_ns, window: time_ns.div_euclid(10 * SECOND) }
}

/// A watcher whose source 1 was answered once, so that the thresholds of ordinary sources hold.
fn known() -> Scans {
    let mut scans = Scans::new(15);
    scans.begun(target(1, 250, 443), at(0));
    scans.answered(target(1, 250, 443));
    scans
}

#[test]
fn ports_of_one_host_are_told_once_with_the_count_of_the_window() {
    let mut scans = known();
    for port in 1..=40 {
        scans.begun(target(1, 1, port), at(SECOND));
        scans.failed(target(1, 1, port), at(SECOND));
    }
    let told = scans.take(0);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].kind, told[0].failed, told[0].victim.as_deref()), (ScanKind::Ports, 40, Some("10.0.1.1")));
    assert_eq!(told[0].examples.len(), EXAMPLES);
    assert!(told[0].examples.iter().all(|example| example.starts_with("10.0.1.1:")));
}

#[test]
fn one_below_each_threshold_is_no_scan() {
    let mut scans = known();
    for port in 1..=14 {
        scans.begun(target(1, 1, port), at(SECOND));
        scans.failed(target(1, 1, port), at(SECOND));
    }
    for host in 10..20 {
        scans.begun(target(1, host, 22), at(SECOND));
        scans.failed(target(1, host, 22), at(SECOND));
    }
    assert_eq!(scans.of(0), []);
    scans.begun(target(1, 30, 5), at(SECOND));
    scans.failed(target(1, 30, 5), at(SECOND));
    assert_eq!(scans.of(0).len(), 1, "the 25th pair, and no pattern explains it");
    assert_eq!(scans.of(0)[0].kind, ScanKind::Pairs);
}

#[test]
fn hosts_on_one_port_that_never_answer_belong_to_the_window_of_their_syns() {
    let mut scans = known();
    for host in 1..=25 {
        scans.begun(target(1, host, 22), at(9 * SECOND));
    }
    assert_eq!(scans.of(0), []);
    assert!(scans.due(13 * SECOND));
    scans.pass(13 * SECOND);
    let told = scans.of(0);
    assert_eq!((told.len(), told[0].kind, told[0].victim.as_deref()), (1, ScanKind::Hosts, Some("22")));
}

#[test]
fn answers_in_time_are_no_failures() {
    let mut scans = Scans::new(15);
    for port in 1..=200 {
        scans.begun(target(1, 1, port), at(SECOND));
        scans.answered(target(1, 1, port));
    }
    scans.pass(100 * SECOND);
    assert_eq!(scans.windows(), Vec::<i64>::new());
}

#[test]
fn failures_slide_out_and_a_second_scan_is_told_again() {
    let mut scans = known();
    let scan = |scans: &mut Scans, second: i64| {
        for port in 1..=20 {
            scans.begun(target(1, 1, port), at(second * SECOND));
            scans.failed(target(1, 1, port), at(second * SECOND));
        }
    };
    scan(&mut scans, 1);
    scan(&mut scans, 31);
    assert_eq!(scans.windows(), [0], "the same scan goes on");
    scan(&mut scans, 700);
    assert_eq!(scans.windows(), [0, 70]);
    for port in 1..=20 {
        scans.begun(target(1, 2, port), at(701 * SECOND));
        scans.failed(target(1, 2, port), at(701 * SECOND));
    }
    assert_eq!(scans.of(70).len(), 2, "another victim is another scan");
}

#[test]
fn a_source_without_any_answer_needs_fewer() {
    let mut scans = Scans::new(15);
    for port in 1..=9 {
        scans.begun(target(1, 1, port), at(0));
    }
    assert_eq!(scans.windows(), Vec::<i64>::new());
    scans.end(SECOND / 10);
    assert_eq!(scans.of(0)[0].failed, 9);
}

#[test]
fn time_that_goes_back_stands_still() {
    let mut scans = Scans::new(15);
    for (host, hour) in (1..=9).zip(0_i64..) {
        scans.begun(target(1, host, 445), at(-hour * 3_600 * SECOND));
    }
    scans.end(9 * 3_600 * SECOND);
    let told: Vec<Scan> = scans.windows().into_iter().flat_map(|window| scans.of(window)).collect();
    assert_eq!((told.len(), told[0].kind), (1, ScanKind::Hosts));
}

#[test]
fn a_flood_of_forged_sources_stays_within_bounds() {
    let mut scans = Scans::new(15);
    scans.most = 1_000;
    for i in 0..20_000_u32 {
        let src = IpAddr::from(i.to_be_bytes());
        scans.begun(Target { src, dst: [10, 0, 0, 1].into(), port: 80 }, at(i64::from(i) * 1_000_000));
        assert!(scans.attempts.len() <= 1_000);
    }
    scans.pass(1_000 * SECOND);
    assert_eq!(scans.windows(), Vec::<i64>::new());
    assert_eq!((scans.attempts.len(), scans.counts.len()), (0, 0), "nothing is left behind");
}

#[test]
fn examples_are_taken_from_the_latest_failures_alone() {
    let mut scans = known();
    let mut fail = |target: Target| {
        scans.begun(target, at(SECOND));
        scans.failed(target, at(SECOND));
    };
    (1..=14).for_each(|port| fail(target(1, 1, port)));
    // Each of another source to another host, so that none of them scans.
    for other in 0..u32::try_from(attempts::LOOKED_BACK).unwrap() {
        let host = (0xc000_0000 + other).to_be_bytes();
        fail(Target { src: (0x0b00_0000 + other).to_be_bytes().into(), dst: host.into(), port: 80 });
    }
    fail(target(1, 1, 15));
    let told = scans.of(0);
    assert_eq!((told.len(), told[0].failed), (1, 15));
    assert_eq!(told[0].examples, ["10.0.1.1:15"]);
}
