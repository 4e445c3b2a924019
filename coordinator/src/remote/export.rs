//! `visits export`.

use std::fs::{self, File};
use std::io::Write;

use anyhow::Context;

use super::{Server, query, sent};
use crate::cli::ExportArgs;

/// Writes the export to a file or standard output. A file is there only when it is whole.
pub(super) async fn run(args: ExportArgs) -> anyhow::Result<()> {
    let server = Server::new(&args.server)?;
    let parameters = query(&[
        ("site_id", args.site),
        ("period", args.period),
        ("from", args.from),
        ("to", args.to),
        ("filters", args.filters),
        ("bots", args.bots),
        ("traffic", args.traffic),
        ("format", Some(args.format.as_str().to_owned())),
    ]);
    let mut response = sent(server.get("/api/visits/export").query(&parameters)).await?;
    let Some(target) = args.output else {
        let mut out = std::io::stdout().lock();
        while let Some(part) = response.chunk().await.context("the export broke off")? {
            out.write_all(&part)?;
        }
        return Ok(out.flush()?);
    };
    let draft = target.with_added_extension("part");
    let named = || format!("cannot write `{}`", target.display());
    let mut file = File::create(&draft).with_context(named)?;
    while let Some(part) = response.chunk().await.context("the export broke off")? {
        file.write_all(&part).with_context(named)?;
    }
    file.sync_all().with_context(named)?;
    fs::rename(&draft, &target).with_context(named)
}
