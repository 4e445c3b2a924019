//! What the target answers on which path.

use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand_xoshiro::Xoshiro256PlusPlus;

use super::args::TargetArgs;
use super::behaviour::Fault;
use super::bid;
use super::request::Request;
use super::stats::Stats;

/// The longest body that `/bytes/N` makes.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// The longest wait of `/delay/MS`.
const MAX_DELAY: Duration = Duration::from_secs(600);

/// The target's answers and what it counts; shared by all threads.
pub(super) struct Service {
    args: TargetArgs,
    started: Instant,
    usual: Vec<u8>,
    usual_head_length: usize,
    stats: Mutex<Stats>,
}

/// What to do with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Wait before the answer, which is in the buffer already.
    pub(super) delay: Duration,
    /// Close after the answer, or without one.
    pub(super) close: bool,
}

impl Service {
    pub(super) fn new(args: TargetArgs) -> Self {
        let body: Vec<u8> = b"Hello, world\n".iter().copied().cycle().take(args.body_bytes).collect();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
        let usual = [head.as_bytes(), &body].concat();
        let stats = Mutex::new(Stats::new(args.track_ids));
        Self { args, started: Instant::now(), usual, usual_head_length: head.len(), stats }
    }

    pub(super) const fn seed(&self) -> u64 {
        self.args.seed
    }

    /// Counts are whole after every update, so a panic elsewhere does not make them wrong.
    pub(super) fn stats(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the request and writes its answer to the end of `out`.
    pub(super) fn answer(
        &self,
        request: &Request<'_>,
        body: &[u8],
        rng: &mut Xoshiro256PlusPlus,
        out: &mut Vec<u8>,
    ) -> Verdict {
        let verdict = Verdict { delay: Duration::ZERO, close: false };
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        let head_only = request.method == "HEAD";
        match path {
            "/stats" => {
                return plain(out, 200, "application/json", &self.stats().report(), head_only, verdict);
            }
            "/log" => return self.log(out, head_only, verdict),
            "/.well-known/trafficlab.txt" => return self.ownership(out, head_only, verdict),
            // Not among the requests: an entry has several notices and one id.
            _ if path.strip_prefix("/notice/").is_some_and(|kind| self.noticed(kind, request)) => {
                return plain(out, 204, "", b"", head_only, verdict);
            }
            "/openrtb2/bid" => return self.bid(request, query, body, rng, out),
            _ => {}
        }
        let verdict = Verdict { delay: self.arrived(request, rng), ..verdict };
        match self.args.errors.as_ref().and_then(|errors| errors.draw(rng)) {
            Some(Fault::Reset) => Verdict { close: true, ..verdict },
            Some(Fault::Status(status)) => plain(out, status, "text/plain", b"fault\n", head_only, verdict),
            None => self.route(path, query, head_only, out, verdict),
        }
    }

    fn noticed(&self, kind: &str, request: &Request<'_>) -> bool {
        self.stats().auctions.notice(kind, request.campaign.is_some())
    }

    fn bid(
        &self,
        request: &Request<'_>,
        query: &str,
        body: &[u8],
        rng: &mut Xoshiro256PlusPlus,
        out: &mut Vec<u8>,
    ) -> Verdict {
        let delay = self.arrived(request, rng);
        match self.args.errors.as_ref().and_then(|errors| errors.draw(rng)) {
            Some(Fault::Reset) => return Verdict { delay, close: true },
            Some(Fault::Status(status)) => {
                return plain(out, status, "text/plain", b"fault\n", false, Verdict { delay, close: false });
            }
            None => {}
        }
        let host = request.host.and_then(|host| std::str::from_utf8(host).ok()).unwrap_or("127.0.0.1");
        let manner = bid::Manner::read(query, self.args.no_bid);
        let (counts, slow) = bid::answer(body, &manner, host, rng, out);
        self.stats().auctions.add(&counts);
        Verdict { delay: delay + slow, close: false }
    }

    /// Counts a request; how long its answer waits.
    fn arrived(&self, request: &Request<'_>, rng: &mut Xoshiro256PlusPlus) -> Duration {
        let age = self.started.elapsed();
        self.stats().record(age, request.campaign, request.id);
        let stall = self.args.stall.iter().map(|stall| stall.wait(age)).max().unwrap_or_default();
        stall + self.args.latency.map_or(Duration::ZERO, |latency| latency.draw(rng))
    }

    fn route(&self, path: &str, query: &str, head_only: bool, out: &mut Vec<u8>, verdict: Verdict) -> Verdict {
        let mut parts = path.trim_start_matches('/').splitn(2, '/');
        let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let number = second.parse::<usize>().ok();
        match (first, number) {
            ("status", Some(status)) => {
                let status = u16::try_from(status).ok().filter(|status| (200..=599).contains(status)).unwrap_or(400);
                plain(out, status, "text/plain", b"status\n", head_only, verdict)
            }
            ("delay", Some(milliseconds)) => {
                let wanted = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX)).min(MAX_DELAY);
                self.usual(out, head_only, Verdict { delay: verdict.delay + wanted, ..verdict })
            }
            ("bytes", Some(length)) => {
                plain(out, 200, "application/octet-stream", &vec![b'x'; length.min(MAX_BYTES)], head_only, verdict)
            }
            ("chunked", Some(length)) => chunked(out, length.min(MAX_BYTES), head_only, verdict),
            ("close", Some(length)) => until_close(out, length.min(MAX_BYTES), head_only, verdict),
            ("redirect", None) => redirect(out, query, verdict),
            _ => self.usual(out, head_only, verdict),
        }
    }

    fn usual(&self, out: &mut Vec<u8>, head_only: bool, verdict: Verdict) -> Verdict {
        let length = if head_only { self.usual_head_length } else { self.usual.len() };
        out.extend_from_slice(self.usual.get(..length).unwrap_or_default());
        verdict
    }

    fn log(&self, out: &mut Vec<u8>, head_only: bool, verdict: Verdict) -> Verdict {
        match self.stats().log() {
            Some(log) => plain(out, 200, "application/x-ndjson", &log, head_only, verdict),
            None => plain(out, 404, "text/plain", b"start the target with --track-ids\n", head_only, verdict),
        }
    }

    fn ownership(&self, out: &mut Vec<u8>, head_only: bool, verdict: Verdict) -> Verdict {
        match &self.args.ownership_line {
            Some(line) => plain(out, 200, "text/plain", format!("{line}\n").as_bytes(), head_only, verdict),
            None => plain(out, 404, "text/plain", b"no --ownership-line\n", head_only, verdict),
        }
    }
}

/// A response with a length. Status 204 and 304 have no body.
pub(super) fn plain(
    out: &mut Vec<u8>,
    status: u16,
    kind: &str,
    body: &[u8],
    head_only: bool,
    verdict: Verdict,
) -> Verdict {
    let empty = matches!(status, 204 | 304);
    let head = if empty {
        format!("HTTP/1.1 {status} {}\r\n\r\n", reason(status))
    } else {
        format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            reason(status),
            body.len()
        )
    };
    out.extend_from_slice(head.as_bytes());
    if !head_only && !empty {
        out.extend_from_slice(body);
    }
    verdict
}

fn chunked(out: &mut Vec<u8>, length: usize, head_only: bool, verdict: Verdict) -> Verdict {
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Length\r\n\r\n");
    if head_only {
        return verdict;
    }
    for chunk in vec![b'x'; length].chunks(1000) {
        write_all(out, format!("{:x};part\r\n", chunk.len()).as_bytes());
        write_all(out, chunk);
        write_all(out, b"\r\n");
    }
    write_all(out, format!("0\r\nX-Length: {length}\r\n\r\n").as_bytes());
    verdict
}

fn until_close(out: &mut Vec<u8>, length: usize, head_only: bool, verdict: Verdict) -> Verdict {
    write_all(out, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    if !head_only {
        out.resize(out.len() + length, b'x');
    }
    Verdict { close: true, ..verdict }
}

/// `/redirect?to=URL&status=307`; the URL is percent-decoded.
fn redirect(out: &mut Vec<u8>, query: &str, verdict: Verdict) -> Verdict {
    let field = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let to = field("to").filter(|to| !to.chars().any(char::is_control)).unwrap_or_else(|| "/".to_owned());
    let status = field("status")
        .and_then(|status| status.parse::<u16>().ok())
        .filter(|status| (300..400).contains(status))
        .unwrap_or(302);
    write_all(
        out,
        format!("HTTP/1.1 {status} {}\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n", reason(status)).as_bytes(),
    );
    verdict
}

fn write_all(out: &mut Vec<u8>, bytes: &[u8]) {
    out.write_all(bytes).expect("writing into a vector does not fail");
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
