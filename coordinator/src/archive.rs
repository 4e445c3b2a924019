//! Commands that work on the data folder of a stopped server: dump, restore, ownership.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Context;
use trafficlab_shared::config::Config;
use trafficlab_shared::target::TargetUrl;

use crate::adops::privacy::carry_over;
use crate::run::{STORE_FOLDER, VISITS_FOLDER};
use crate::store::entries::POSITION;
use crate::store::segment::SegmentDir;
use crate::store::{SEGMENT_FOLDER, Store, dump as engine};
use crate::systems::traffic::ownership::line_for;

/// Writes the whole store as JSON lines; `-` is standard output.
///
/// # Errors
/// When the server is running, or something cannot be read or written.
pub fn dump(config: &Config, output: &Path) -> anyhow::Result<()> {
    let folder = config.data_dir.join(STORE_FOLDER);
    let store = Store::open(&folder).context("the store cannot be opened; stop the server first")?;
    let position = POSITION.get(&store, &0)?.unwrap_or_default();
    let segments = SegmentDir::new(&folder.join(SEGMENT_FOLDER));
    let mut out: Box<dyn Write> = if output == Path::new("-") {
        Box::new(std::io::stdout().lock())
    } else {
        Box::new(File::create_new(output).with_context(|| format!("cannot make `{}`", output.display()))?)
    };
    let mut buffered = BufWriter::new(&mut out);
    let visits = config.data_dir.join(VISITS_FOLDER);
    let counts = engine::dump(&store, &segments, position.committed, &visits, &mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    if output != Path::new("-") {
        File::open(output)?.sync_all()?;
    }
    store.close();
    tracing::info!(?counts, "dumped");
    Ok(())
}

/// Reads a dump into an empty data folder; `-` is standard input. `erased` is the list of erasures of the server that the
/// dump is of, or of a later state of it: who was erased after the dump is erased again when the server starts.
///
/// # Errors
/// When the folder is not empty, the dump is not whole, or the list cannot be read.
pub fn restore(config: &Config, input: &Path, erased: Option<&Path>) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data_dir)?;
    if let Some(list) = erased {
        // First: a restored store without it would bring people back.
        let lines = carry_over(list, &config.data_dir).with_context(|| format!("cannot use `{}`", list.display()))?;
        tracing::info!(lines, "erasures are carried over");
    }
    let source: Box<dyn Read> = if input == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(File::open(input).with_context(|| format!("cannot open `{}`", input.display()))?)
    };
    let (store, visits) = (config.data_dir.join(STORE_FOLDER), config.data_dir.join(VISITS_FOLDER));
    let counts = engine::restore(&mut BufReader::new(source), &store, &visits)?;
    tracing::info!(?counts, "restored");
    Ok(())
}

/// Prints the line that the owner of a target publishes.
///
/// # Errors
/// When there is no `generator.ownership_secret` or the URL is wrong.
pub fn ownership(config: &Config, url: &str) -> anyhow::Result<()> {
    let secret = config.generator.ownership_secret.as_ref().context("`generator.ownership_secret` is not set")?;
    let url = TargetUrl::parse(url)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", line_for(secret, &url))?;
    Ok(())
}
