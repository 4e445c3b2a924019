//! The request that `generate` sends: checked once, prepared for each thread.

use std::io::Write as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use trafficlab_shared::allow::{AllowList, TargetGuard};
use trafficlab_shared::config::{Config, Secret};
use trafficlab_shared::target::TargetUrl;
use trafficlab_shared::template::{Template, Variable};

use super::args::GenerateArgs;
use super::plan::{Plan, PlanFault, share};
use super::source;
use crate::io::http::{
    HeaderSink, HttpVersion, Limits, NoContent, PlanError, PlanSpec, RequestPlan, ResponseChecks, Ticket,
    TicketContent, TlsOptions, TlsRoots,
};
use crate::shard::csv::CsvTable;
use crate::shard::request::Visitor;

/// What a request without a profile says of its sender.
const USER_AGENT: &str = concat!("trafficlab/", env!("CARGO_PKG_VERSION"));

/// A checked request.
#[derive(Clone)]
pub(super) struct Request {
    /// Of the first thread, with the connections of all.
    spec: PlanSpec,
    allow: AllowList,
    broker_ports: Vec<u16>,
    /// A body that is sent as it is, without templates.
    body: Option<Arc<[u8]>>,
    profiles: bool,
    templates: bool,
    table: Option<Arc<CsvTable>>,
    pub(super) insecure: bool,
    /// Makes the line that a public target's owner publishes.
    pub(super) secret: Option<Secret>,
}

/// Reads and checks everything about the request without the network.
pub(super) fn check(
    args: &GenerateArgs,
    config: &Config,
    run_id: &str,
    queue: usize,
    threads: u32,
) -> Result<Request, PlanFault> {
    let written = args.url.as_deref().unwrap_or_default();
    let url = TargetUrl::parse(written).map_err(|error| {
        let remedy = if written.contains("://") { "" } else { "; it begins with `http://` or `https://`" };
        format!("{error}{remedy}")
    })?;
    let allow = AllowList::parse(&config.generator.allow_targets)
        .map_err(|faults| faults.first().map_or_else(String::new, |fault| fault.message.clone()))?;
    let (text, body) = body(args)?;
    let has_body = text.is_some();
    let mut headers = args.headers.iter().map(|line| header(line)).collect::<Result<Vec<_>, _>>()?;
    if !args.profiles && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        headers.push(("User-Agent".to_owned(), USER_AGENT.to_owned()));
    }
    let table = args.csv.as_deref().map(source::table).transpose()?.map(Arc::new);
    let texts = headers.iter().map(|(_, value)| ("--header", value.as_str()));
    let texts = texts.chain([("URL", url.path_and_query.as_str())]).chain(text.as_deref().map(|text| ("--body", text)));
    let templates = templates(texts, table.as_deref())?;
    let spec = PlanSpec {
        version: if args.http2 { HttpVersion::Http2 } else { HttpVersion::Http1 },
        method: args.method.clone().unwrap_or_else(|| if has_body { "POST" } else { "GET" }.to_owned()),
        url,
        headers,
        body: text,
        campaign_id: run_id.to_owned(),
        run_id: run_id.to_owned(),
        shard: 0,
        limits: limits(args, queue),
        checks: ResponseChecks {
            statuses: args.expect_status.clone(),
            body_contains: args.expect_body.clone(),
            max_latency_ns: None,
        },
        guard: TargetGuard::default(),
        tls: tls(args)?,
        keep_body: 0,
    };
    let broker_ports = crate::runtime::broker_ports(config.nats.url.as_deref().unwrap_or_default());
    let secret = config.generator.ownership_secret.clone();
    let (profiles, insecure) = (args.profiles, args.insecure);
    let request = Request { spec, allow, broker_ports, body, profiles, templates, table, insecure, secret };
    // The threads make the same plan again, which then cannot fail.
    RequestPlan::new(request.spec(0, threads, None)).map_err(plan_fault)?;
    Ok(request)
}

impl Request {
    pub(super) const fn target(&self) -> &TargetUrl {
        &self.spec.url
    }

    pub(super) fn method(&self) -> &str {
        &self.spec.method
    }

    pub(super) const fn version(&self) -> HttpVersion {
        self.spec.version
    }

    pub(super) const fn connections(&self) -> usize {
        self.spec.limits.connections
    }

    /// How long the last requests may take after the arrivals are over, in nanoseconds.
    pub(super) fn patience_ns(&self) -> u64 {
        let Limits { request_timeout, connect_timeout, .. } = self.spec.limits;
        u64::try_from((request_timeout + connect_timeout).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Who may be connected to; a public address only where `proof` names it.
    pub(super) fn guard(&self, proof: Option<(&str, u16)>) -> TargetGuard {
        let guard = TargetGuard::new(vec![self.allow.clone()]).forbid_ports(self.broker_ports.iter().copied());
        guard.require_proof(proof)
    }

    /// The plan of one thread.
    pub(super) fn spec(&self, shard: u32, threads: u32, proof: Option<(&str, u16)>) -> PlanSpec {
        let all = u64::try_from(self.spec.limits.connections).unwrap_or(u64::MAX);
        let connections = usize::try_from(share(all, threads, shard)).unwrap_or(1);
        let limits = Limits { connections, ..self.spec.limits };
        PlanSpec { shard, limits, guard: self.guard(proof), ..self.spec.clone() }
    }

    /// The plan that asks for `path` once: of the same target, trusting the same certificates.
    pub(super) fn fetch_spec(&self, path: &str, limits: Limits, keep_body: usize) -> PlanSpec {
        let url = TargetUrl { path_and_query: path.to_owned(), ..self.spec.url.clone() };
        let guard = TargetGuard::new(vec![self.allow.clone()]).forbid_ports(self.broker_ports.iter().copied());
        PlanSpec {
            method: "GET".to_owned(),
            url,
            headers: vec![("User-Agent".to_owned(), USER_AGENT.to_owned())],
            body: None,
            limits,
            checks: ResponseChecks::default(),
            guard,
            keep_body,
            ..self.spec.clone()
        }
    }

    /// What the tickets of one thread contribute to their requests.
    pub(super) fn content(&self, plan: &Plan, shard: u32) -> Rc<dyn TicketContent> {
        if !self.profiles && !self.templates && self.body.is_none() {
            return Rc::new(NoContent);
        }
        let visitor =
            Visitor::new(Arc::clone(&plan.content), plan.seed, shard).with_target(&self.spec.url, &self.spec.method);
        let visitor = match &self.table {
            Some(table) => visitor.with_table(Arc::clone(table)),
            None => visitor,
        };
        let (shard, threads) = (u64::from(shard), u64::from(plan.threads));
        Rc::new(Values { visitor, profiles: self.profiles, shard, threads, body: self.body.clone() })
    }
}

/// The number of a ticket within its thread, as tickets carry it.
pub(super) fn number(ticket: Ticket) -> u64 {
    (u64::from(ticket.slot) << 32) | u64::from(ticket.k)
}

/// The ticket with this number within its thread.
pub(super) fn ticket(number: u64, due_ns: u64) -> Ticket {
    let low = u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0);
    Ticket { slot: u32::try_from(number >> 32).unwrap_or(u32::MAX), k: low, due_ns }
}

/// A visitor's values, with the sequence of the command line: arrival n of thread i is number n · T + i, from 1.
struct Values {
    visitor: Visitor,
    profiles: bool,
    shard: u64,
    threads: u64,
    body: Option<Arc<[u8]>>,
}

impl TicketContent for Values {
    fn variable(&self, variable: Variable, ticket: Ticket, out: &mut Vec<u8>) {
        if variable == Variable::Sequence {
            let number = number(ticket) * self.threads + self.shard + 1;
            write!(out, "{number}").expect("a vector takes every byte");
        } else {
            self.visitor.variable(variable, ticket, out);
        }
    }

    fn headers(&self, ticket: Ticket, sink: &mut HeaderSink<'_>) {
        if self.profiles {
            self.visitor.headers(ticket, sink);
        }
    }

    fn body(&self, _ticket: Ticket, out: &mut Vec<u8>) -> bool {
        self.body.as_ref().is_some_and(|body| {
            out.extend_from_slice(body);
            true
        })
    }
}

/// The body as a text with templates, or as bytes that are sent as they are (the text is empty then).
#[allow(clippy::type_complexity, reason = "the two forms of one thing, used once")]
fn body(args: &GenerateArgs) -> Result<(Option<String>, Option<Arc<[u8]>>), String> {
    let (flag, file) = match (&args.body, &args.body_file) {
        (Some(text), _) => match text.strip_prefix('@') {
            Some(path) => ("--body", PathBuf::from(path)),
            None => return Ok((Some(text.clone()), None)),
        },
        (None, Some(path)) => ("--body-file", path.clone()),
        (None, None) => return Ok((None, None)),
    };
    let bytes = source::bytes(flag, &file)?;
    match String::from_utf8(bytes) {
        Ok(text) if text.contains("{{") => Ok((Some(text), None)),
        Ok(text) => Ok((Some(String::new()), Some(text.into_bytes().into()))),
        Err(error) => Ok((Some(String::new()), Some(error.into_bytes().into()))),
    }
}

fn header(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or_else(|| format!("`--header {line}` is not `Name: value`"))?;
    Ok((name.to_owned(), value.trim().to_owned()))
}

/// Whether any text is a template; every cell it names must be in the table. Texts come with where they stand.
fn templates<'a>(
    texts: impl Iterator<Item = (&'static str, &'a str)>,
    table: Option<&CsvTable>,
) -> Result<bool, String> {
    let mut any = false;
    for (place, text) in texts {
        let template = Template::parse(text).map_err(|error| format!("`{place}`: {error}"))?;
        any |= !template.is_constant();
        for column in template.columns() {
            let table = table.ok_or_else(|| format!("`{{{{csv:{}}}}}` needs `--csv FILE`", column.as_str()))?;
            if table.column(column.as_str()).is_none() {
                let known = table.columns().join("`, `");
                return Err(format!("the table has no column `{}`; it has `{known}`", column.as_str()));
            }
        }
    }
    Ok(any)
}

fn limits(args: &GenerateArgs, queue: usize) -> Limits {
    Limits {
        connections: usize::try_from(args.connections).unwrap_or(1),
        queue,
        connect_timeout: args.connect_timeout,
        request_timeout: args.timeout,
        max_redirects: args.redirects,
        keep_alive: !args.no_keepalive,
        streams: usize::try_from(args.streams).unwrap_or(1),
    }
}

fn tls(args: &GenerateArgs) -> Result<TlsRoots, String> {
    let authority = args.ca.as_deref().map(|path| source::bytes("--ca", path)).transpose()?;
    let roots = TlsRoots::new(&TlsOptions { authority_pem: authority.as_deref(), insecure: args.insecure });
    // Without a file nothing of it can be wrong.
    roots.map_err(|fault| if authority.is_some() { format!("`--ca`: {fault}") } else { fault })
}

/// Names the flags where the plan names a campaign's fields.
fn plan_fault(error: PlanError) -> PlanFault {
    if let PlanError::Refused(refusal) = error {
        return PlanFault::Refused(refusal.to_string());
    }
    let message = error.to_string();
    let flags = [("config.headers.", "--header "), ("config.headers", "--header"), ("config.method", "--method")];
    let renamed = flags.iter().fold(message, |text, (field, flag)| text.replace(field, flag));
    PlanFault::Usage(renamed.replace("config.body", "--body").replace("target_url", "URL"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn tickets_carry_their_number() {
        for given in [0, 1, u64::from(u32::MAX), 1 << 32, (7 << 32) + 5] {
            assert_eq!(number(ticket(given, 3)), given);
        }
    }

    #[test]
    fn cells_need_a_table_with_their_column() {
        let table = CsvTable::new(vec!["user".into()], vec![vec!["ann".into()]]).unwrap();
        let one = |text: &'static str, table| templates([("URL", "/"), ("--body", text)].into_iter(), table);
        assert_eq!(one("x", None), Ok(false));
        assert_eq!(one("/{{csv:user}}", Some(&table)), Ok(true));
        assert!(one("/{{csv:user}}", None).unwrap_err().contains("--csv"));
        assert!(one("{{csv:pin}}", Some(&table)).unwrap_err().contains("`user`"));
        assert!(one("{{nothing}}", None).unwrap_err().starts_with("`--body`: "));
    }
}
