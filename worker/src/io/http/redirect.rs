//! Following redirects: every hop passes the same address rules as the first target.

use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::target::{TargetUrl, TargetUrlError};

use super::Ticket;
use super::connection::Connection;
use super::line::Line;
use super::request::Hop;

impl Connection {
    /// Follows the response in the parser for as long as it is a redirect and the limit allows; `kept` is the state of
    /// the plan's own connection before. The result is its state after, or why a hop failed.
    pub(super) async fn follow_redirects(
        &mut self,
        line: &mut Line,
        ticket: Ticket,
        kept: Result<bool, ErrorKind>,
    ) -> Result<bool, ErrorKind> {
        let mut kept = kept?;
        let own = self.shared.plan.url.clone();
        let mut current = own.clone();
        let mut as_get = false;
        for _ in 0..self.shared.plan.limits.max_redirects {
            let Some(next) = self.redirect_target(&current)? else {
                return Ok(kept);
            };
            as_get |= matches!(self.buffers.parser.status, 301..=303);
            let hop = Hop { url: &next, as_get, drop_credentials: !next.same_origin(&own) };
            self.write_hop(&hop, ticket)?;
            if next.same_origin(&own) && kept {
                kept = self.send_hop(line).await?;
            } else {
                let mut other = self.shared.dial_hop(&next, self.timer.left()).await?;
                self.send_hop(&mut other).await?;
            }
            current = next;
        }
        Ok(kept)
    }

    fn write_hop(&mut self, hop: &Hop<'_>, ticket: Ticket) -> Result<(), ErrorKind> {
        let Self { shared, buffers, .. } = self;
        shared.plan.program.write_hop(hop, shared.content.as_ref(), ticket, &mut buffers.out, &mut buffers.scratch)
    }

    /// Another write, so the right to send is asked for again.
    async fn send_hop(&mut self, line: &mut Line) -> Result<bool, ErrorKind> {
        if !self.shared.state.borrow().may_send() {
            return Err(ErrorKind::Aborted);
        }
        let wanted = self.shared.plan.wanted;
        line.exchange(&mut self.buffers, &mut self.timer, wanted).await.map_err(|failure| failure.kind)
    }

    fn redirect_target(&self, current: &TargetUrl) -> Result<Option<TargetUrl>, ErrorKind> {
        let parser = &self.buffers.parser;
        if !matches!(parser.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = &parser.location else {
            return Ok(None);
        };
        let text = std::str::from_utf8(location).map_err(|_not_text| ErrorKind::Protocol)?;
        let next = current.join(text).map_err(|error| {
            tracing::debug!(%error, "redirect not followed");
            match error {
                TargetUrlError::Scheme(_) | TargetUrlError::UserInfo => ErrorKind::RefusedTarget,
                _ => ErrorKind::Protocol,
            }
        })?;
        Ok(Some(next))
    }
}
