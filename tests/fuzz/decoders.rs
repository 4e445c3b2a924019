//! Random and damaged bytes to every decoder.

use coordinator::store::Record as Stored;
use coordinator::store::campaigns::Campaign;
use coordinator::store::captures::{Capture, CaptureJobRow, CaptureWork, PackExtent, StoredBaseline};
use coordinator::store::entries::{Extent, Position, SetAside};
use coordinator::store::runs::{Run, Shard, Totals};
use coordinator::store::thresholds::Rules;
use coordinator::store::workers::WorkerFigures;
use proptest::prelude::*;
use trafficlab_engine::traffic::bidder::Stored as Answer;
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::pack::{BlockReader, BlockWriter, PackedEntry};
use trafficlab_engine::traffic::timings::Timings;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::run::RunSpec;
use trafficlab_shared::protocol::capture::{CaptureJob, CaptureRecord};
use trafficlab_shared::protocol::codec::{decode, encode};
use trafficlab_shared::protocol::control::{Desired, WorkerDirective};
use trafficlab_shared::protocol::heartbeat::Heartbeat;
use trafficlab_shared::protocol::job::ShardJob;
use trafficlab_shared::protocol::report::Record;

use super::{captures, samples, stored_captures};

/// Gives the bytes to every decoder; comes back with how many took them.
fn decode_all(bytes: &[u8]) -> usize {
    [
        decode::<ShardJob>(bytes).is_ok(),
        decode::<Record>(bytes).is_ok(),
        decode::<CaptureJob>(bytes).is_ok(),
        decode::<CaptureRecord>(bytes).is_ok(),
        decode::<Desired>(bytes).is_ok(),
        decode::<WorkerDirective>(bytes).is_ok(),
        decode::<Heartbeat>(bytes).is_ok(),
        Campaign::from_bytes(bytes).is_ok(),
        RunSpec::from_bytes(bytes).is_ok(),
        Run::from_bytes(bytes).is_ok(),
        Shard::from_bytes(bytes).is_ok(),
        Totals::from_bytes(bytes).is_ok(),
        Rules::from_bytes(bytes).is_ok(),
        WorkerFigures::from_bytes(bytes).is_ok(),
        Extent::from_bytes(bytes).is_ok(),
        Position::from_bytes(bytes).is_ok(),
        SetAside::from_bytes(bytes).is_ok(),
        Capture::from_bytes(bytes).is_ok(),
        CaptureJobRow::from_bytes(bytes).is_ok(),
        CaptureWork::from_bytes(bytes).is_ok(),
        PackExtent::from_bytes(bytes).is_ok(),
        Anomaly::from_bytes(bytes).is_ok(),
        StoredBaseline::from_bytes(bytes).is_ok(),
        rmp_serde::from_slice::<Counters>(bytes).is_ok(),
        rmp_serde::from_slice::<Timings>(bytes).is_ok(),
        rmp_serde::from_slice::<Histogram>(bytes).is_ok(),
        BlockReader::read_all(bytes).is_ok(),
        BlockReader::read_with_blobs(bytes).is_ok(),
    ]
    .into_iter()
    .filter(|taken| *taken)
    .count()
}

/// Valid encodings of every kind, to be damaged.
fn valid() -> Vec<Vec<u8>> {
    let mut valid = vec![
        encode(&samples::job()).unwrap(),
        encode(&samples::desired()).unwrap(),
        encode(&samples::directive()).unwrap(),
        encode(&samples::heartbeat()).unwrap(),
        samples::campaign().to_bytes().unwrap(),
        samples::plan().to_bytes().unwrap(),
        samples::run().to_bytes().unwrap(),
        samples::shard().to_bytes().unwrap(),
        samples::extent().to_bytes().unwrap(),
        samples::position().to_bytes().unwrap(),
        BlockWriter::new().finish(),
        with_blob(),
    ];
    valid.extend(stored_captures::captures().iter().map(|(_, capture)| capture.to_bytes().unwrap()));
    valid.extend([
        stored_captures::job().to_bytes().unwrap(),
        stored_captures::work().to_bytes().unwrap(),
        stored_captures::extent().to_bytes().unwrap(),
        stored_captures::anomaly().to_bytes().unwrap(),
        stored_captures::baseline().to_bytes().unwrap(),
    ]);
    valid.extend(samples::records().iter().map(|(_, record)| encode(record).unwrap()));
    valid.extend(captures::jobs().iter().map(|(_, job)| encode(job).unwrap()));
    valid.extend(captures::records().iter().map(|(_, record)| encode(record).unwrap()));
    valid
}

/// A block with a bidder's answer beside its entry.
fn with_blob() -> Vec<u8> {
    let mut writer = BlockWriter::new();
    let answer = Answer { bytes: 2, winner: Some("house".into()), ..Answer::default() }.write(b"{}");
    assert!(writer.push_with(&PackedEntry::default(), Some(&answer)));
    writer.finish()
}

#[test]
fn what_is_valid_is_taken() {
    for bytes in valid() {
        assert!(decode_all(&bytes) > 0, "{bytes:02x?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        decode_all(&bytes);
    }

    #[test]
    fn damaged_messages_never_panic(
        which in any::<prop::sample::Index>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let valid = valid();
        let mut bytes = which.get(&valid).clone();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        decode_all(&bytes);
        bytes.truncate(cut.index(bytes.len() + 1));
        decode_all(&bytes);
    }

    /// A length in the bytes must not be believed before the bytes are there.
    #[test]
    fn promised_lengths_are_not_allocated(head in any::<u8>(), rest in proptest::collection::vec(prop_oneof![Just(0xff_u8), any::<u8>()], 0..40)) {
        let mut bytes = vec![1, head, 0xdd, 0xff, 0xff, 0xff, 0xff];
        bytes.extend(&rest);
        decode_all(&bytes);
        decode_all(&bytes[1..]);
        decode_all(&bytes[2..]);
    }
}
