//! `visits import`: sends a file and follows its import to the end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use super::progress::Progress;
use super::{Server, count, json, query, say, text};
use crate::cli::ImportArgs;

const LOOK_EVERY: Duration = Duration::from_millis(200);
const BLOCK: usize = 256 * 1024;

pub(super) async fn run(args: ImportArgs) -> anyhow::Result<()> {
    let server = Server::new(&args.server)?;
    let mut progress = Progress::new(args.quiet);
    let queued = send(&server, &args, &mut progress).await?;
    let path = format!("/api/visits/import/{}", text(&queued, "import_id"));
    let ended = loop {
        let import = json(server.get(&path)).await?;
        match text(&import, "status") {
            "queued" => progress.show("waiting", 0, 0),
            "running" => progress.show("importing", count(&import, "bytes_read"), count(&import, "bytes")),
            _ => break import,
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    progress.end();
    report(&ended)
}

/// Sends the file while the progress shows how much of it is sent.
async fn send(server: &Server, args: &ImportArgs, progress: &mut Progress) -> anyhow::Result<Value> {
    let named = || format!("cannot read `{}`", args.file.display());
    let file = tokio::fs::File::open(&args.file).await.with_context(named)?;
    let length = file.metadata().await.with_context(named)?.len();
    let flag = |flag: bool| flag.then(|| "true".to_owned());
    let parameters = query(&[
        ("site_id", args.site.clone()),
        ("format", Some(args.format.as_str().to_owned())),
        ("name", name(&args.file)),
        ("dry_run", flag(args.dry_run)),
        ("again", flag(args.again)),
    ]);
    let sent = Arc::new(AtomicU64::new(0));
    let body = reqwest::Body::wrap_stream(pieces(file, Arc::clone(&sent)));
    let request = server.post("/api/visits/import").query(&parameters).header("content-length", length).body(body);
    let answer = json(request.header("content-type", "application/octet-stream"));
    tokio::pin!(answer);
    loop {
        tokio::select! {
            answer = &mut answer => return answer,
            () = tokio::time::sleep(LOOK_EVERY) => progress.show("sending", sent.load(Ordering::Relaxed), length),
        }
    }
}

fn name(file: &Path) -> Option<String> {
    Some(file.file_name()?.to_string_lossy().into_owned())
}

fn pieces(file: tokio::fs::File, sent: Arc<AtomicU64>) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::try_unfold((file, sent), |(mut file, sent)| async move {
        let mut block = vec![0; BLOCK];
        let read = file.read(&mut block).await?;
        sent.fetch_add(u64::try_from(read).unwrap_or(0), Ordering::Relaxed);
        block.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(block), (file, sent))))
    })
}

/// What came of it, for people.
fn report(import: &Value) -> anyhow::Result<()> {
    if text(import, "status") != "done" {
        bail!("the import failed: {}", text(import, "error"));
    }
    let dry = import.get("dry_run").and_then(Value::as_bool) == Some(true);
    let (accepted, lines) = (count(import, "accepted"), count(import, "lines"));
    let word = if dry { "would be imported" } else { "imported" };
    say(&format!("{accepted} of {lines} lines {word} (import {})", text(import, "import_id")))?;
    for skipped in import.get("skipped").and_then(Value::as_array).into_iter().flatten() {
        say(&format!("{} skipped: {}", count(skipped, "count"), text(skipped, "reason")))?;
        for example in skipped.get("examples").and_then(Value::as_array).into_iter().flatten() {
            let file = text(example, "file");
            let place = if file.is_empty() { String::new() } else { format!("{file} ") };
            say(&format!("  {place}line {}: {}", count(example, "line"), text(example, "message")))?;
        }
    }
    Ok(())
}
