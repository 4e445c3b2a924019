//! Commands that ask a running server over HTTP: it alone writes its data, and answers are durable.

mod export;
mod import;
mod progress;
mod prune;

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::Value;

use crate::cli::{ServerUrl, VisitsArgs, VisitsCommand};

/// A server that does not answer a connection for this long is away.
const CONNECT: Duration = Duration::from_secs(10);
/// A transfer may stand still for this long.
const SILENCE: Duration = Duration::from_secs(120);

/// Runs a command.
///
/// # Errors
/// What the server answers, and when it is not there.
pub async fn visits(args: VisitsArgs) -> anyhow::Result<()> {
    match args.command {
        VisitsCommand::Export(args) => export::run(args).await,
        VisitsCommand::Import(args) => import::run(args).await,
        VisitsCommand::Prune(args) => prune::run(args).await,
    }
}

/// A server and who asks it.
struct Server {
    client: Client,
    base: String,
    token: Option<String>,
}

impl Server {
    fn new(server: &ServerUrl) -> anyhow::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()
            .context("no HTTP client")?;
        let url = url::Url::parse(&server.url).with_context(|| format!("`{}` is no URL", server.url))?;
        let file = server.token_file.as_ref();
        let token =
            file.map(|file| std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display())));
        let token = token.transpose()?.map(|text| text.trim().to_owned());
        if token.is_some() && url.scheme() == "http" && !is_loopback(&url) {
            bail!("a token is sent over https only, except to this machine");
        }
        Ok(Self { client, base: server.url.trim_end_matches('/').to_owned(), token })
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.with_token(self.client.get(format!("{}{path}", self.base)))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.with_token(self.client.post(format!("{}{path}", self.base)))
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The response to a request that must succeed; the server's own words otherwise.
async fn sent(request: RequestBuilder) -> anyhow::Result<Response> {
    let response = request.send().await.context("the server cannot be asked")?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let message = body.get("message").and_then(Value::as_str).unwrap_or("it says no more");
    let import = body.get("import_id").and_then(Value::as_str).map(|id| format!(" (import {id})"));
    bail!("the server refuses ({}): {message}{}", status.as_u16(), import.unwrap_or_default());
}

async fn json(request: RequestBuilder) -> anyhow::Result<Value> {
    let text = sent(request).await?.text().await.context("the answer broke off")?;
    serde_json::from_str(&text).context("the answer is no JSON")
}

/// The parameters that are there.
fn query<'a>(pairs: &[(&'a str, Option<String>)]) -> Vec<(&'a str, String)> {
    pairs.iter().filter_map(|(name, value)| Some((*name, value.clone()?))).collect()
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

fn count(body: &Value, name: &str) -> u64 {
    body.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}
