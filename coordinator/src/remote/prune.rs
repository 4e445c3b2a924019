//! `visits prune`.

use serde_json::{Value, json};

use super::{Server, count, json as ask, say, text};
use crate::cli::PruneArgs;

pub(super) async fn run(args: PruneArgs) -> anyhow::Result<()> {
    let server = Server::new(&args.server)?;
    let body = json!({"site_id": args.site, "keep_days": args.keep_days, "dry_run": args.dry_run});
    let gone = ask(server.post("/api/visits/prune").json(&body)).await?;
    let word = if args.dry_run { "would be removed" } else { "removed" };
    for site in gone.get("sites").and_then(Value::as_array).into_iter().flatten() {
        let (visits, bytes) = (count(site, "visits"), count(site, "bytes"));
        let (site, first) = (text(site, "site_id"), text(site, "keep_from"));
        say(&format!("{site}: {visits} visits before {first} {word}, {bytes} bytes"))?;
    }
    say(&format!("{} visits {word}", count(&gone, "visits")))
}
