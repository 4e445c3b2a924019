//! May this target be sent to? The allow-list has agreed by name; now its addresses and its owner are asked.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::{sleep, timeout};
use trafficlab_shared::allow::needs_ownership_proof;
use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::config::Secret;
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::proof;
use trafficlab_shared::target::TargetUrl;

use super::plan::PlanFault;
use super::request::{self, Request};
use crate::io::http::{Done, HttpPool, Limits, NoContent, Offered, RequestPlan};

const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Judges the target's addresses. True when its owner had to agree and did; requests go out after this only.
///
/// Must run inside a `LocalRuntime` or a `LocalSet`.
pub(super) async fn admit(request: &Request) -> Result<bool, PlanFault> {
    let target = request.target();
    let guard = request.guard(Some((&target.host, target.port)));
    let mut refusal = format!("`{}` has no address", target.host);
    let mut permitted = Vec::new();
    for address in resolve(target).await? {
        match guard.check_address(&target.host, target.port, address) {
            Ok(()) => permitted.push(address),
            Err(no) => refusal = no.to_string(),
        }
    }
    if permitted.is_empty() {
        return Err(PlanFault::Refused(refusal));
    }
    let public = permitted.into_iter().any(needs_ownership_proof);
    if public {
        prove(request).await.map_err(PlanFault::Refused)?;
    }
    Ok(public)
}

/// Asks again and again; comes back with a sentence when the owner of a public target no longer agrees.
pub(super) async fn watch(request: &Request, every: Duration) -> String {
    let mut failures = 0;
    loop {
        sleep(every).await;
        match prove(request).await {
            Ok(()) => failures = 0,
            Err(why) => {
                failures += 1;
                if failures >= proof::PATIENCE {
                    return format!("the target's owner no longer agrees: {why}");
                }
            }
        }
    }
}

/// Looks for the owner's line.
async fn prove(request: &Request) -> Result<(), String> {
    let target = request.target();
    let origin = target.origin();
    let Some(secret) = &request.secret else {
        return Err("public targets need `generator.ownership_secret`".to_owned());
    };
    let remedy = |why: String| {
        let (line, path) = (proof::line_for(secret, target), proof::PATH);
        format!("the owner of `{origin}` must agree first: {why}; publish the line `{line}` in `{origin}{path}`")
    };
    let text = fetch(request).await.map_err(remedy)?;
    holds(secret, target, &text).map_err(remedy)
}

fn holds(secret: &Secret, target: &TargetUrl, text: &str) -> Result<(), String> {
    let found = proof::holds(text, &proof::line_for(secret, target));
    found.then_some(()).ok_or_else(|| format!("`{}` does not hold the line", proof::PATH))
}

/// The file of the proof, asked for once, without redirects.
async fn fetch(request: &Request) -> Result<String, String> {
    let limits = Limits {
        connections: 1,
        connect_timeout: proof::TIMEOUT,
        request_timeout: proof::TIMEOUT,
        max_redirects: 0,
        ..Limits::default()
    };
    let plan = RequestPlan::new(request.fetch_spec(proof::PATH, limits, proof::LONGEST + 1));
    let plan = Rc::new(plan.map_err(|error| error.to_string())?);
    let mut pool = HttpPool::new(plan, Rc::new(NoContent));
    pool.set_send_deadline(u64::MAX);
    let mut done: Vec<Done> = Vec::new();
    let now = boot_ns();
    if pool.offer(request::ticket(0, now)) == Offered::Dropped {
        return Err("the request was dropped".to_owned());
    }
    if timeout(proof::TIMEOUT, pool.wait_progress()).await.is_ok() {
        pool.drain(&mut done);
    }
    let answer = done.pop().ok_or("no answer within 5 s")?;
    let body = answer.body.unwrap_or_default();
    match (answer.error, answer.status) {
        (ErrorKind::None, 200..=299) if body.len() > proof::LONGEST => {
            Err(format!("the file is longer than {} bytes", proof::LONGEST))
        }
        (ErrorKind::None, 200..=299) => Ok(String::from_utf8_lossy(&body).into_owned()),
        (ErrorKind::None, status) => Err(format!("the answer is {status}")),
        (kind, _) => Err(format!("the file cannot be fetched ({})", kind.as_str())),
    }
}

async fn resolve(target: &TargetUrl) -> Result<Vec<IpAddr>, String> {
    if let Some(address) = target.literal_address() {
        return Ok(vec![address]);
    }
    let failed = |why: String| format!("the name `{}` cannot be resolved: {why}", target.host);
    match timeout(RESOLVE_TIMEOUT, lookup_host((target.host.as_str(), target.port))).await {
        Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_elapsed) => Err(failed("no answer in 5 s".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]
    use clap::Parser as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::task::LocalSet;
    use trafficlab_shared::config::{Config, Purpose, Sources};

    use super::*;
    use crate::cli::{Cli, Command};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn request(url: &str) -> Request {
        let Command::Generate(args) = Cli::try_parse_from(["x", "generate", url, "--rate", "1"]).unwrap().command
        else {
            panic!("not generate");
        };
        let env = vec![("TRAFFICLAB_GENERATOR__OWNERSHIP_SECRET".to_owned(), SECRET.to_owned())];
        let config = Config::load(&Sources { env, ..Sources::default() }, Purpose::Worker).unwrap();
        request::check(&args, &config, "run", 10, 1).unwrap()
    }

    /// Answers one connection; what it was asked.
    async fn server(listener: &TcpListener, answer: &str) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 2048];
        let read = stream.read(&mut request).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    }

    async fn proved(head: &str, body: &str) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let line = proof::line_for(&Secret::new(SECRET), &TargetUrl::parse(&url).unwrap());
        let body = body.replace("LINE", &line);
        let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let serve = server(&listener, &answer);
        let request = request(&url);
        let (outcome, sent) = LocalSet::new().run_until(async { tokio::join!(prove(&request), serve) }).await;
        assert!(sent.starts_with("GET /.well-known/trafficlab.txt ") && sent.contains("X-Synthetic-Traffic: run"));
        outcome
    }

    #[tokio::test]
    async fn the_line_proves_and_nothing_else_does() {
        proved("200 OK", "# ours\nLINE\n").await.unwrap();
        let other = proved("200 OK", "trafficlab-verification=guess").await.unwrap_err();
        assert!(other.contains("publish the line `trafficlab-verification="), "{other}");
        assert!(proved("302 Found\r\nLocation: http://127.0.0.1:1/", "LINE").await.unwrap_err().contains("302"));
        let long = format!("{}\nLINE", "x".repeat(5000));
        assert!(proved("200 OK", &long).await.unwrap_err().contains("longer"));
    }

    #[tokio::test]
    async fn an_owner_who_changed_their_mind_ends_the_run_at_the_second_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let line = proof::line_for(&Secret::new(SECRET), &TargetUrl::parse(&url).unwrap());
        let agreed = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len());
        let gone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        let answers = async {
            for answer in [&agreed, gone, &agreed, gone, gone] {
                server(&listener, answer).await;
            }
        };
        let request = request(&url);
        let watching = watch(&request, Duration::from_millis(1));
        let (why, ()) = LocalSet::new().run_until(async { tokio::join!(watching, answers) }).await;
        assert!(why.contains("no longer agrees") && why.contains("404"), "{why}");
    }

    #[tokio::test]
    async fn addresses_decide_before_anything_is_asked_for() {
        LocalSet::new()
            .run_until(async {
                assert!(matches!(admit(&request("http://127.0.0.1:1/")).await, Ok(false)));
            })
            .await;
    }
}
