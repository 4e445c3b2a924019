//! The bytes of a request: constant pieces prepared once, patched with the values of each ticket.

use std::io::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::target::{TargetUrl, is_safe_value};
use trafficlab_shared::template::{Part, Template, Variable};

use super::digits::push_number;
use super::plan::{PlanError, PlanSpec};
use super::{HeaderSink, Ticket, TicketContent};

/// What stands unescaped in a path or query value.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A prepared piece of a request.
#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    Value(Variable),
    /// What tells the ids of one run and shard apart.
    Number,
}

/// A campaign header, for redirects.
#[derive(Debug)]
struct HeaderLine {
    name: String,
    pieces: Vec<Piece>,
}

/// How the requests of a plan are written.
pub(super) struct RequestProgram {
    method: String,
    /// Whether a request without a body says so.
    says_empty: bool,
    path: Vec<Piece>,
    /// Where the path is constant, all from the method to the last campaign header.
    whole: Option<Vec<Piece>>,
    /// From ` HTTP/1.1` to the last campaign header of a request to the plan's own target.
    rest: Vec<Piece>,
    /// The two marks and what else every request has, for redirects.
    marks: Vec<Piece>,
    headers: Vec<HeaderLine>,
    names: Vec<String>,
    body: Option<Vec<Piece>>,
    campaign_id: String,
    run_id: String,
    id_prefix: String,
}

/// Where the next hop of a redirect goes.
pub(super) struct Hop<'a> {
    pub(super) url: &'a TargetUrl,
    /// Drop the body and ask with `GET`.
    pub(super) as_get: bool,
    /// Keep the campaign's credentials to its own target.
    pub(super) drop_credentials: bool,
}

impl RequestProgram {
    pub(super) fn new(spec: &PlanSpec) -> Result<Self, PlanError> {
        let path = pieces(&spec.url.path_and_query, "target_url")?;
        let mut marks = vec![
            Piece::Bytes(format!("X-Synthetic-Traffic: {}\r\nX-Synthetic-Id: ", spec.campaign_id).into_bytes()),
            Piece::Value(Variable::Id),
            Piece::Bytes(b"\r\n".to_vec()),
        ];
        if !spec.limits.keep_alive {
            push_bytes(&mut marks, b"Connection: close\r\n");
        }
        let mut headers = Vec::new();
        for (name, value) in &spec.headers {
            headers.push(HeaderLine { name: name.clone(), pieces: pieces(value, &format!("config.headers.{name}"))? });
        }
        let mut rest = Vec::new();
        push_bytes(&mut rest, format!(" HTTP/1.1\r\nHost: {}\r\n", spec.url.authority()).as_bytes());
        let id_prefix = format!("{}-{}-", spec.run_id, spec.shard);
        extend(&mut rest, &marks, &id_prefix);
        for line in &headers {
            push_bytes(&mut rest, format!("{}: ", line.name).as_bytes());
            extend(&mut rest, &line.pieces, &id_prefix);
            push_bytes(&mut rest, b"\r\n");
        }
        let whole = path.iter().all(|piece| matches!(piece, Piece::Bytes(_))).then(|| {
            let mut whole = vec![Piece::Bytes(format!("{} ", spec.method).into_bytes())];
            extend(&mut whole, &path, &id_prefix);
            extend(&mut whole, &rest, &id_prefix);
            whole
        });
        let names = spec.headers.iter().map(|(name, _)| name.clone()).collect();
        let body = spec.body.as_deref().map(|body| pieces(body, "config.body")).transpose()?;
        Ok(Self {
            method: spec.method.clone(),
            says_empty: matches!(spec.method.as_str(), "POST" | "PUT" | "PATCH"),
            path,
            whole,
            rest,
            marks,
            headers,
            names,
            body,
            campaign_id: spec.campaign_id.clone(),
            run_id: spec.run_id.clone(),
            id_prefix,
        })
    }

    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// Writes the request of a ticket into `out`; `scratch` holds its body meanwhile.
    pub(super) fn write(
        &self,
        content: &dyn TicketContent,
        ticket: Ticket,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> Result<(), ErrorKind> {
        out.clear();
        scratch.clear();
        match (content.path(ticket, scratch), &self.whole) {
            (false, Some(whole)) => self.write_head(whole, content, ticket, out)?,
            (own_path, _) => {
                out.extend_from_slice(self.method.as_bytes());
                out.push(b' ');
                if !own_path {
                    self.write_path(content, ticket, out, scratch)?;
                } else if is_safe_value(scratch) && !scratch.contains(&b' ') {
                    out.extend_from_slice(scratch);
                } else {
                    return Err(ErrorKind::Template);
                }
                self.write_head(&self.rest, content, ticket, out)?;
            }
        }
        self.finish(true, content, ticket, out, scratch)
    }

    /// Writes the request of a redirect: the same marks, another target.
    pub(super) fn write_hop(
        &self,
        hop: &Hop<'_>,
        content: &dyn TicketContent,
        ticket: Ticket,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> Result<(), ErrorKind> {
        out.clear();
        let method = if hop.as_get && self.method != "HEAD" { "GET" } else { &self.method };
        // Writing into a `Vec` cannot fail; a failure would only lose this request.
        write!(out, "{method} {} HTTP/1.1\r\nHost: {}\r\n", hop.url.path_and_query, hop.url.authority())
            .map_err(template)?;
        self.write_head(&self.marks, content, ticket, out)?;
        for line in &self.headers {
            let credential = ["authorization", "cookie", "proxy-authorization"]
                .iter()
                .any(|name| line.name.eq_ignore_ascii_case(name));
            if hop.drop_credentials && credential {
                continue;
            }
            write!(out, "{}: ", line.name).map_err(template)?;
            self.write_head(&line.pieces, content, ticket, out)?;
            out.extend_from_slice(b"\r\n");
        }
        self.finish(!hop.as_get, content, ticket, out, scratch)
    }

    /// The ticket's own headers, the length of the body, and the body.
    fn finish(
        &self,
        with_body: bool,
        content: &dyn TicketContent,
        ticket: Ticket,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> Result<(), ErrorKind> {
        let mut sink = HeaderSink::new(out, &self.names);
        content.headers(ticket, &mut sink);
        if !sink.is_safe() {
            return Err(ErrorKind::Template);
        }
        scratch.clear();
        let own = with_body && content.body(ticket, scratch);
        let body = self.body.as_deref().filter(|_| with_body && !own);
        for piece in body.unwrap_or_default() {
            match piece {
                Piece::Bytes(bytes) => scratch.extend_from_slice(bytes),
                Piece::Value(variable) => self.value(*variable, content, ticket, scratch),
                Piece::Number => push_id_number(ticket, scratch),
            }
        }
        if own || body.is_some() || self.says_empty {
            out.extend_from_slice(b"Content-Length: ");
            push_number(out, scratch.len() as u64);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(scratch);
        Ok(())
    }

    fn write_path(
        &self,
        content: &dyn TicketContent,
        ticket: Ticket,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> Result<(), ErrorKind> {
        for piece in &self.path {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Number => push_id_number(ticket, out),
                Piece::Value(variable) => {
                    scratch.clear();
                    self.value(*variable, content, ticket, scratch);
                    if !is_safe_value(scratch) {
                        return Err(ErrorKind::Template);
                    }
                    percent_encode(scratch, UNRESERVED).for_each(|text| out.extend_from_slice(text.as_bytes()));
                }
            }
        }
        Ok(())
    }

    fn write_head(
        &self,
        pieces: &[Piece],
        content: &dyn TicketContent,
        ticket: Ticket,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorKind> {
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Number => push_id_number(ticket, out),
                Piece::Value(variable) => {
                    let start = out.len();
                    self.value(*variable, content, ticket, out);
                    if !out.get(start..).is_some_and(is_safe_value) {
                        return Err(ErrorKind::Template);
                    }
                }
            }
        }
        Ok(())
    }

    fn value(&self, variable: Variable, content: &dyn TicketContent, ticket: Ticket, out: &mut Vec<u8>) {
        match variable {
            Variable::Id => {
                out.extend_from_slice(self.id_prefix.as_bytes());
                push_id_number(ticket, out);
            }
            Variable::Slot => push_number(out, ticket.slot),
            Variable::Arrival => push_number(out, ticket.k),
            Variable::CampaignId => out.extend_from_slice(self.campaign_id.as_bytes()),
            Variable::RunId => out.extend_from_slice(self.run_id.as_bytes()),
            other => content.variable(other, ticket, out),
        }
    }
}

fn template(_error: std::io::Error) -> ErrorKind {
    ErrorKind::Template
}

fn pieces(text: &str, field: &str) -> Result<Vec<Piece>, PlanError> {
    let parsed = Template::parse(text).map_err(|error| PlanError::Template { field: field.into(), error })?;
    let convert = |part: &Part| match part {
        Part::Text(text) => Piece::Bytes(text.clone().into_bytes()),
        Part::Variable(variable) => Piece::Value(*variable),
    };
    Ok(parsed.parts().iter().map(convert).collect())
}

fn push_id_number(ticket: Ticket, out: &mut Vec<u8>) {
    push_number(out, ticket.slot);
    out.push(b'-');
    push_number(out, ticket.k);
}

/// Appends pieces; of an id only the number is left to be written.
fn extend(target: &mut Vec<Piece>, source: &[Piece], id_prefix: &str) {
    for piece in source {
        match piece {
            Piece::Bytes(bytes) => push_bytes(target, bytes),
            Piece::Number => target.push(Piece::Number),
            Piece::Value(Variable::Id) => {
                push_bytes(target, id_prefix.as_bytes());
                target.push(Piece::Number);
            }
            Piece::Value(variable) => target.push(Piece::Value(*variable)),
        }
    }
}

/// Appends bytes to the last piece, so that a request is as few copies as possible.
fn push_bytes(target: &mut Vec<Piece>, bytes: &[u8]) {
    if let Some(Piece::Bytes(last)) = target.last_mut() {
        last.extend_from_slice(bytes);
    } else {
        target.push(Piece::Bytes(bytes.to_vec()));
    }
}
