//! What can be read, what cannot, and what the exit code says of it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

use super::{Sample, analyze, capture, command, ended, gzip, piped};

#[test]
fn what_is_no_capture_ends_with_a_sentence() {
    let sample = Sample::new();
    let mut link = sample.bytes.clone();
    link[20..24].copy_from_slice(&281_u32.to_le_bytes());
    let mut cases = vec![
        (sample.beside("missing.pcap"), "does not exist"),
        (sample.folder.path().to_str().unwrap().to_owned(), "is a directory"),
    ];
    for (name, bytes, words) in [
        ("empty", &b""[..], "is empty"),
        ("letter.txt", &b"Dear Sir or Madam, this is not a capture."[..], "no pcap or pcapng capture"),
        ("link.pcap", &link[..], "link type 281 is not supported"),
    ] {
        std::fs::write(sample.beside(name), bytes).unwrap();
        cases.push((sample.beside(name), words));
    }
    for (path, words) in cases {
        for format in ["table", "csv"] {
            let refused = analyze(&[&path, "--format", format]);
            assert_eq!((refused.code, refused.stdout.len()), (3, 0), "{path}: {}", refused.stderr);
            assert!(refused.stderr.contains(words) && refused.stderr.contains(&path), "{words}: {}", refused.stderr);
            assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        }
    }
}

#[test]
fn programs_get_an_object_for_what_is_no_capture_too() {
    let refused = piped(&["-", "--format", "json"], b"no capture at all, but some text of some length");
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    let shown = refused.json();
    assert_eq!((&shown["wire"]["packets"], &shown["summary"]["fault"]["offset"]), (&0.into(), &0.into()), "{shown}");
}

#[test]
fn a_file_without_permission_is_named() {
    let sample = Sample::new();
    std::fs::set_permissions(&sample.path, Permissions::from_mode(0o000)).unwrap();
    let mut call = command(&[sample.path()]);
    if rustix::process::geteuid().is_root() {
        // Root may read everything; somebody who may do nothing may perhaps not even start the program.
        call.uid(65_534);
        std::fs::set_permissions(sample.folder.path(), Permissions::from_mode(0o755)).unwrap();
    }
    let Ok(output) = call.output() else {
        crate::harness::skipped("the program cannot be started as nobody");
        return;
    };
    let refused = ended(&output);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("permission denied"), "{}", refused.stderr);
}

#[test]
fn wrong_flags_are_refused_before_anything_is_read() {
    let sample = Sample::new();
    for (flags, words) in [
        (&["--window", "0"][..], "above 0"),
        (&["--window", "-10"], "above 0"),
        (&["--window", "soon"], "above 0"),
        (&["--window", "nan"], "above 0"),
        (&["--window", "99999999999"], "too long"),
        (&["--format", "pdf"], "parquet"),
        (&["--format", "zeek", "--what", "windows"], "no form for windows"),
        (&["--format", "csv", "--what", "windows,anomalies"], "one of"),
        (&["--what", "connections"], "exports"),
        (&["--baseline", "/nonexistent.json"], "--baseline"),
        (&["--anonymise", "/nonexistent.key"], "--anonymise"),
        (&["--anonymise", "env:NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE"),
        (&["--output", "/nonexistent/folder/out"], "does not exist"),
        (&["--config", "/nonexistent.toml"], "nonexistent.toml"),
        (&["--colour"], "unexpected argument"),
    ] {
        let refused = analyze(&[&[sample.path()], flags].concat());
        assert_eq!((refused.code, refused.stdout.len()), (2, 0), "{flags:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(words), "{flags:?}: {}", refused.stderr);
    }
    assert_eq!(analyze(&[]).code, 2);
}

#[test]
fn damage_is_told_with_its_place_and_what_came_before_is_shown() {
    let whole = Sample::new();
    let cut = Sample::of(whole.bytes[..whole.bytes.len() - 5].to_vec());
    let all = whole.good(&["--format", "json"]).json();
    let packets = all["summary"]["packets"].as_u64().unwrap();
    let damaged = analyze(&[cut.path(), "--format", "json"]);
    assert_eq!(damaged.code, 1, "{}", damaged.stderr);
    let shown = damaged.json();
    assert_eq!(
        (&shown["summary"]["packets"], &shown["wire"]["packets"]),
        (&(packets - 1).into(), &(packets - 1).into())
    );
    let offset = shown["summary"]["fault"]["offset"].as_u64().unwrap();
    let length = u64::try_from(cut.bytes.len()).unwrap();
    assert!(offset < length && offset > length - 100, "{offset} of {length}");
    assert!(damaged.stderr.contains(&format!("damaged at byte {offset}")), "{}", damaged.stderr);
    let table = analyze(&[cut.path()]);
    assert_eq!(table.code, 1);
    assert!(table.text().contains("  damage  "), "{}", table.text());
}

#[test]
fn standard_input_and_gzip_give_the_same_figures() {
    let sample = Sample::new();
    let packed = gzip(&sample.path);
    std::fs::write(sample.beside("packed"), &packed).unwrap();
    let plain = sample.good(&["--format", "json"]).json();
    let from_pipe = piped(&["-", "--format", "json"], &sample.bytes).good().json();
    let from_gzip = analyze(&[&sample.beside("packed"), "--format", "json"]).good().json();
    let from_both = piped(&["-", "--format", "json"], &packed).good().json();
    for other in [&from_pipe, &from_gzip, &from_both] {
        for member in ["windows", "anomalies", "wire"] {
            assert_eq!(plain[member], other[member], "{member}");
        }
    }
    assert_eq!(from_pipe["file"], "standard input");
    assert_eq!((&plain["summary"]["format"], &from_both["summary"]["format"]), (&"pcap".into(), &"pcap (gzip)".into()));
    let bomb = piped(&["-", "--max-unpacked", "1000"], &packed);
    assert_eq!(bomb.code, 1, "{}", bomb.stderr);
    assert!(bomb.stderr.contains("1000 bytes"), "{}", bomb.stderr);
}

#[test]
fn pcapng_holds_the_same_packets() {
    let sample = Sample::of(capture().pcapng());
    let shown = sample.good(&["--format", "json"]).json();
    let pcap = Sample::new().good(&["--format", "json"]).json();
    assert_eq!(shown["summary"]["format"], "pcapng");
    assert_eq!(shown["windows"], pcap["windows"]);
}

#[test]
fn a_header_without_packets_is_an_empty_capture() {
    let sample = Sample::of(Sample::new().bytes[..24].to_vec());
    let shown = sample.good(&["--format", "json"]).json();
    assert_eq!((&shown["windows"], &shown["summary"]["packets"]), (&serde_json::json!([]), &0.into()));
    assert!(sample.good(&[]).text().contains("no packets"));
}
