//! Captures as stored: what was analysed, the jobs that did it, and where their bulk data lies.

use serde::{Deserialize, Serialize};
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::baseline::Baseline;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::work::{LiveSpec, Work};
use trafficlab_shared::protocol::capture::Progress;
use trafficlab_shared::protocol::control::Desired;

use super::segment::Location;
use super::{FirstVersion, Table};

/// Captures by id, a `UUIDv7`, so the newest comes last.
pub const CAPTURES: Table<String, Capture> = Table::new("capture");
/// State of every capture job by job id.
pub const CAPTURE_JOBS: Table<String, CaptureJobRow> = Table::new("capture_job");
/// What each capture job is to do; written once, gone when its messages are.
pub const WORKS: Table<String, CaptureWork> = Table::new("capture_work");
/// Jobs of a capture, oldest first.
pub const JOBS_OF: Table<(String, String), ()> = Table::new("capture_job_of");
/// Capture jobs and exports that are gone and must never start again, with the time they went.
pub const GONE_JOBS: Table<String, u64> = Table::new("capture_gone");
/// Captures whose bulk data and files are being removed, with the time that was asked for.
pub const REMOVALS: Table<String, u64> = Table::new("capture_removal");
/// Packs of windows by capture and the id of their first window; `windows.rs` reads them.
pub const WINDOW_EXTENTS: Table<(String, u64), PackExtent> = Table::new("window_extent");
/// Packs of connections by capture and the number of their first connection, in the order they were told.
pub const CONNECTION_EXTENTS: Table<(String, u64), PackExtent> = Table::new("connection_extent");
/// Anomalies by the job that found them and their number, from 0. A capture's `anomaly_job` says which job's count.
pub const ANOMALIES: Table<(String, u64), Anomaly> = Table::new("anomaly");
/// The newest baseline of each kind, by the word of the API.
pub const BASELINES: Table<String, StoredBaseline> = Table::new("baseline");
/// Figures to compare with tshark, JSON text, by capture.
pub const WIRES: Table<String, String> = Table::new("capture_wire");

/// Kind of frame that holds packed windows.
pub const WINDOWS_FRAME: u8 = 2;
/// Kind of frame that holds packed connections.
pub const CONNECTIONS_FRAME: u8 = 3;

/// Gaps that a capture tells one by one; later ones widen the last.
pub const MOST_GAPS: usize = 200;

/// One analysed input.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Capture {
    /// Its id.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Where the packets come from.
    pub source: Source,
    /// Where it stands.
    pub state: CaptureState,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
    /// How it is analysed.
    pub settings: AnalysisSettings,
    /// The job that analyses it.
    #[serde(default)]
    pub analysis_job: Option<String>,
    /// The latest job that was asked to find anomalies anew.
    #[serde(default)]
    pub detect_job: Option<String>,
    /// The job whose anomalies count: the analysis, or the latest detection that ended well.
    #[serde(default)]
    pub anomaly_job: Option<String>,
    /// Nanoseconds since 1970, as all times here.
    pub created_ns: u64,
    /// When a worker first took it.
    #[serde(default)]
    pub started_ns: Option<u64>,
    /// When it was over.
    #[serde(default)]
    pub ended_ns: Option<u64>,
    /// Where window 0 in time begins.
    #[serde(default)]
    pub origin_ns: Option<i64>,
    /// How far the analysis is.
    #[serde(default)]
    pub progress: Progress,
    /// Windows stored; their ids count from 0.
    #[serde(default)]
    pub windows: u64,
    /// Anomalies that count.
    #[serde(default)]
    pub anomalies: u64,
    /// Connections stored one by one.
    #[serde(default)]
    pub connections: u64,
    /// Times in which a live capture took nothing, at most [`MOST_GAPS`].
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// Figures of the whole, once it is over.
    #[serde(default)]
    pub summary: Option<Summary>,
    /// Bytes on this disk: an upload's own file, and its frames in the segments.
    #[serde(default)]
    pub bytes_on_disk: u64,
    /// Where the windows of a live capture are written as lines, relative to the data folder; else in its own folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_file: Option<String>,
}

impl Capture {
    /// One that nobody has begun yet.
    #[must_use]
    pub fn new(id: String, name: String, source: Source, settings: AnalysisSettings) -> Self {
        Self {
            id,
            name,
            source,
            state: CaptureState::Queued,
            reason: None,
            settings,
            analysis_job: None,
            detect_job: None,
            anomaly_job: None,
            created_ns: trafficlab_shared::clock::wall_ns(),
            started_ns: None,
            ended_ns: None,
            origin_ns: None,
            progress: Progress::default(),
            windows: 0,
            anomalies: 0,
            connections: 0,
            gaps: Vec::new(),
            summary: None,
            bytes_on_disk: 0,
            output_file: None,
        }
    }
}

/// Where packets come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A file that was sent to us; it lies in the capture's own folder and goes with it.
    Upload {
        /// What its sender calls it; nothing but a label.
        file_name: String,
        /// Where it lies.
        path: String,
        /// Its length.
        bytes: u64,
    },
    /// A file of the operator's, which stays.
    Path {
        /// Its real path.
        path: String,
        /// Its length.
        bytes: u64,
        /// Last change, by which a file is recognised.
        modified_ns: u64,
    },
    /// An interface.
    Live {
        /// What is captured and how.
        spec: LiveSpec,
        /// The host that captures; chosen by the heartbeats when nobody names it.
        #[serde(default)]
        host: Option<String>,
        /// The worker that captures, or did last.
        #[serde(default)]
        worker: Option<String>,
    },
}

impl Default for Source {
    fn default() -> Self {
        Self::Path { path: String::new(), bytes: 0, modified_ns: 0 }
    }
}

impl Source {
    /// Whether it is an interface.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }
}

/// Where a capture, or one of its jobs, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureState {
    /// No worker has taken it yet, or the next one has to.
    #[default]
    Queued,
    /// A worker has it.
    Running,
    /// Over. A live capture that was stopped is done.
    Done,
    /// Over, for the reason given.
    Failed,
    /// Over, stopped before it was done.
    Stopped,
}

impl CaptureState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Stopped];

    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Stopped)
    }

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// A time in which nothing was captured, nanoseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Its beginning.
    pub from_ns: i64,
    /// When capturing went on.
    pub to_ns: i64,
    /// Why.
    pub reason: String,
}

/// Sorts of capture jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Packets to windows: of a file or an interface.
    Analysis,
    /// Windows to baselines.
    Baseline,
    /// Windows to anomalies.
    Detection,
}

impl JobKind {
    /// The sort of some work.
    #[must_use]
    pub const fn of(work: &Work) -> Self {
        match work {
            Work::File { .. } | Work::Live { .. } => Self::Analysis,
            Work::Baseline { .. } => Self::Baseline,
            Work::Detect { .. } => Self::Detection,
        }
    }
}

/// What the log of a capture job has shown so far, and what it should do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureJobRow {
    /// Its id.
    pub job: String,
    /// Its capture.
    pub capture: String,
    /// What sort of work.
    pub kind: JobKind,
    /// What it should do; of its fields only state and revision count.
    pub desired: Desired,
    /// Where it stands.
    pub state: CaptureState,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
    /// The host whose workers alone can do it.
    #[serde(default)]
    pub host: Option<String>,
    /// The worker that wrote last.
    #[serde(default)]
    pub worker: String,
    /// Owners so far.
    #[serde(default)]
    pub epoch: u32,
    /// Windows told.
    #[serde(default)]
    pub windows: u64,
    /// Anomalies told.
    #[serde(default)]
    pub anomalies: u64,
    /// Connections told.
    #[serde(default)]
    pub connections: u64,
    /// Stream sequence of the last record taken.
    #[serde(default)]
    pub sequence: u64,
    /// Broker time of that record.
    #[serde(default)]
    pub stored_ns: u64,
    /// Desired revision the worker has applied.
    #[serde(default)]
    pub revision: u64,
    /// How far it is.
    #[serde(default)]
    pub progress: Progress,
    /// A worker does not see the file and asks for it through the object store.
    #[serde(default)]
    pub file_wanted: bool,
    /// Its log has a gap or a record nobody can read: what follows is kept raw, not counted.
    #[serde(default)]
    pub broken: bool,
    /// When it was asked for.
    pub created_ns: u64,
    /// When a worker first took it.
    #[serde(default)]
    pub started_ns: Option<u64>,
    /// When it was over.
    #[serde(default)]
    pub ended_ns: Option<u64>,
    /// Whether its messages have been removed from the broker.
    #[serde(default)]
    pub cleared: bool,
}

/// What a capture job is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureWork {
    /// The work.
    pub work: Work,
    /// The windows it is given, for work on windows.
    #[serde(default)]
    pub input: Option<Input>,
}

/// Windows of a capture by the time of their beginning; they are read when they are sent, so nothing is kept twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The capture.
    pub capture: String,
    /// Windows that begin before this are left out; nanoseconds since 1970.
    #[serde(default)]
    pub from_ns: Option<i64>,
    /// Windows that begin at this or later are left out.
    #[serde(default)]
    pub to_ns: Option<i64>,
    /// Windows stored when the job was asked for; later ones are left out.
    pub windows: u64,
}

/// A stored pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackExtent {
    /// Where its frame lies.
    pub location: Location,
    /// Windows, or connections, in it.
    pub count: u32,
}

/// A baseline and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredBaseline {
    /// The figures.
    pub baseline: Baseline,
    /// The capture whose windows they are of.
    pub capture: String,
    /// When they were computed.
    pub created_ns: u64,
}

impl FirstVersion for Capture {}
impl FirstVersion for CaptureJobRow {}
impl FirstVersion for CaptureWork {}
impl FirstVersion for PackExtent {}
impl FirstVersion for Anomaly {}
impl FirstVersion for StoredBaseline {}
