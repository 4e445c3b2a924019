//! Every subject, stream and bucket name; built here and nowhere else.

/// Work queue of shard jobs.
pub const JOBS_STREAM: &str = "TL_JOBS";
/// The log of every shard.
pub const RESULTS_STREAM: &str = "TL_RES";
/// Key-value bucket of desired state.
pub const CONTROL_BUCKET: &str = "TL_CTL";
/// JSON for outside subscribers.
pub const LIVE_STREAM: &str = "TL_LIVE";
/// The pull consumer all traffic workers share.
pub const TRAFFIC_CONSUMER: &str = "traffic";

/// The pull consumer of capture jobs that any worker may take.
pub const CAPTURE_CONSUMER: &str = "captures";
/// Files and inputs on their way to workers that do not see the coordinator's folders.
pub const FILES_BUCKET: &str = "TL_FILES";

/// All jobs.
pub const ALL_JOBS: &str = "tl.v1.job.>";
/// All traffic jobs, wherever they may run.
pub const TRAFFIC_JOBS: &str = "tl.v1.job.traffic.>";
/// All results.
pub const ALL_RESULTS: &str = "tl.v1.res.>";
/// All live messages.
pub const ALL_LIVE: &str = "tl.v1.live.>";
/// All heartbeats.
pub const ALL_HEARTBEATS: &str = "tl.v1.hb.*";

/// All capture jobs that any worker may take.
pub const CAPTURE_JOBS: &str = "tl.v1.job.capture.any.>";

/// A capture job; `host` for those that only workers of that host can do.
#[must_use]
pub fn capture_job(host: Option<&str>, job: &str) -> String {
    format!("tl.v1.job.capture.{}.{job}.0", place(host))
}

/// All capture jobs of one host.
#[must_use]
pub fn capture_jobs_of(host: &str) -> String {
    format!("tl.v1.job.capture.{}.>", place(Some(host)))
}

/// The pull consumer of one host's capture jobs.
#[must_use]
pub fn capture_consumer_of(host: &str) -> String {
    format!("captures_{}", place(Some(host)))
}

/// The pull consumer of exports.
pub const EXPORT_CONSUMER: &str = "exports";
/// All exports.
pub const EXPORT_JOBS: &str = "tl.v1.job.export.any.>";

/// The message that asks for an export.
#[must_use]
pub fn export_job(job: &str) -> String {
    format!("tl.v1.job.export.any.{job}.0")
}

/// The log of an export.
#[must_use]
pub fn export_results(job: &str) -> String {
    format!("tl.v1.res.export.{job}.0")
}

/// The export a results subject belongs to.
#[must_use]
pub fn parse_export_results(subject: &str) -> Option<&str> {
    subject.strip_prefix("tl.v1.res.export.")?.strip_suffix(".0")
}

/// The message of a job with one shard, whatever its kind and wherever it may run.
#[must_use]
pub fn single_job(job: &str) -> String {
    format!("tl.v1.job.*.*.{job}.0")
}

/// The log of a job with one shard, whatever its kind.
#[must_use]
pub fn single_results(job: &str) -> String {
    format!("tl.v1.res.*.{job}.0")
}

/// A host as a part of a subject; `any` is no host.
fn place(host: Option<&str>) -> String {
    let Some(host) = host else {
        return "any".to_owned();
    };
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    format!("host-{}", host.chars().map(safe).collect::<String>())
}

/// The log of a capture job.
#[must_use]
pub fn capture_results(job: &str) -> String {
    format!("tl.v1.res.capture.{job}.0")
}

/// The capture job a results subject belongs to.
#[must_use]
pub fn parse_capture_results(subject: &str) -> Option<&str> {
    subject.strip_prefix("tl.v1.res.capture.")?.strip_suffix(".0")
}

/// The job message of one shard of a traffic run.
#[must_use]
pub fn traffic_job(job: &str, shard: u32) -> String {
    format!("tl.v1.job.traffic.any.{job}.{shard}")
}

/// The log of one shard of a traffic run.
#[must_use]
pub fn traffic_results(job: &str, shard: u32) -> String {
    format!("tl.v1.res.traffic.{job}.{shard}")
}

/// The logs of all shards of a traffic run.
#[must_use]
pub fn traffic_results_of(job: &str) -> String {
    format!("tl.v1.res.traffic.{job}.*")
}

/// Where a worker puts a job message it cannot read; ingest keeps it for people to see.
#[must_use]
pub fn set_aside(worker: &str) -> String {
    format!("tl.v1.res.set_aside.{worker}")
}

/// The job and shard a results subject belongs to.
#[must_use]
pub fn parse_traffic_results(subject: &str) -> Option<(&str, u32)> {
    let (job, shard) = subject.strip_prefix("tl.v1.res.traffic.")?.split_once('.')?;
    Some((job, shard.parse().ok()?))
}

/// Live messages of one campaign.
#[must_use]
pub fn live(campaign: &str) -> String {
    format!("tl.v1.live.{campaign}")
}

/// Heartbeats of one worker.
#[must_use]
pub fn heartbeat(worker: &str) -> String {
    format!("tl.v1.hb.{worker}")
}

/// Key of a job's desired state.
#[must_use]
pub fn job_key(job: &str) -> String {
    format!("job.{job}")
}

/// Key of the directive to a worker.
#[must_use]
pub fn worker_key(worker: &str) -> String {
    format!("worker.{worker}")
}

#[cfg(test)]
mod tests {
    use super::{
        capture_job, capture_results, export_results, parse_capture_results, parse_export_results,
        parse_traffic_results, traffic_results,
    };

    #[test]
    fn results_subjects_round_trip() {
        let subject = traffic_results("0197-ab", 17);
        assert_eq!(parse_traffic_results(&subject), Some(("0197-ab", 17)));
        assert_eq!(parse_traffic_results("tl.v1.res.traffic.x"), None);
        assert_eq!(parse_traffic_results("tl.v1.res.traffic.x.y"), None);
    }

    #[test]
    fn capture_subjects_round_trip() {
        assert_eq!(parse_capture_results(&capture_results("0197-ab")), Some("0197-ab"));
        assert_eq!(parse_capture_results("tl.v1.res.traffic.0197-ab.0"), None);
        assert_eq!(capture_job(Some("a.b c"), "j"), "tl.v1.job.capture.host-a_b_c.j.0");
        assert_eq!(capture_job(None, "j"), "tl.v1.job.capture.any.j.0");
        assert_eq!(parse_export_results(&export_results("0197-ab")), Some("0197-ab"));
        assert_eq!(parse_export_results(&capture_results("0197-ab")), None);
    }
}
