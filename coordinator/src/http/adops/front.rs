//! Admits a request of `/api/v1/`: first its rate, then its credential. What its route asks for is `granted`'s business.

use std::net::{IpAddr, Ipv4Addr};

use poem::Request;
use poem::http::{HeaderMap, HeaderName, HeaderValue};
use trafficlab_shared::clock;
use trafficlab_shared::config::Config;

use super::limits::{Key, Limits, Quota, Rate, network};
use crate::adops::accounts::Shown;
use crate::adops::{Actor, Who};
use crate::http::app::App;
use crate::http::guard::header_of;
use crate::systems::{Code, Fault};
use crate::visits::intake::sender;

/// What every path of the family begins with.
pub(crate) const PREFIX: &str = "/api/v1/";

/// Paths that are called without a credential, and rarely.
const SIGNING_IN: [&str; 4] =
    ["/api/v1/auth/login", "/api/v1/auth/register", "/api/v1/auth/forgot-password", "/api/v1/auth/reset-password"];
/// The other paths without a credential.
const OPEN: [&str; 1] = ["/api/v1/auth/refresh"];

const REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-rate-limit-reset");

/// Where a request of the family comes from, for routes without a credential.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The request's id.
    pub request_id: String,
    /// The client's address, behind trusted proxies.
    pub address: IpAddr,
}

/// The rates of the family.
pub(crate) struct Front {
    limits: Limits,
    api: Rate,
    login: Rate,
}

/// What the answer says about the caller's rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    remaining: u32,
    reset_s: u64,
}

impl Stamp {
    fn new(quota: Quota, now_ns: u64) -> Self {
        Self { remaining: quota.remaining, reset_s: (now_ns + quota.full_in_ns).div_ceil(1_000_000_000) }
    }

    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(self.reset_s));
    }
}

impl Front {
    pub(crate) fn new(config: &Config) -> Self {
        let limits = &config.limits;
        let burst = limits.api_per_minute.saturating_add(limits.api_burst);
        Self {
            limits: Limits::new(),
            api: Rate::per_minute(limits.api_per_minute, burst),
            login: Rate::per_minute(limits.login_per_minute, limits.login_per_minute),
        }
    }

    /// Admits a request, and puts its [`Actor`] and [`Caller`] into it. `stamp` is set whatever the answer is.
    pub(crate) fn admit(
        &self,
        app: &App,
        request: &mut Request,
        id: &str,
        stamp: &mut Option<Stamp>,
    ) -> Result<(), Fault> {
        let address = address(&app.config, request);
        request.extensions_mut().insert(Caller { request_id: id.to_owned(), address });
        let path = request.uri().path();
        if SIGNING_IN.contains(&path) {
            self.take(Key::Login(network(address)), self.login, stamp)?;
            return Ok(());
        }
        if OPEN.contains(&path) {
            return self.take(Key::Address(network(address)), self.api, stamp);
        }
        let shown = credential(request).map(|credential| Shown { credential, request_id: id, address });
        let authenticated = shown.map(|shown| app.adops.accounts.authenticate(app.store(), &shown));
        match authenticated {
            Some(Ok(actor)) => {
                self.take(Key::Credential(named(&actor)), self.api, stamp)?;
                request.extensions_mut().insert(actor);
                Ok(())
            }
            refused => {
                // Guessing is limited by address, whatever is guessed.
                self.take(Key::Address(network(address)), self.api, stamp)?;
                let missing = || Fault::new(Code::Unauthorized, "A token is needed: `Authorization: Bearer …`");
                Err(refused.and_then(Result::err).unwrap_or_else(missing))
            }
        }
    }

    fn take(&self, key: Key, rate: Rate, stamp: &mut Option<Stamp>) -> Result<(), Fault> {
        let now_ns = clock::wall_ns();
        let quota = self.limits.take(key, rate, now_ns);
        *stamp = Some(Stamp::new(quota, now_ns));
        let Some(wait_ns) = quota.wait_ns else { return Ok(()) };
        let seconds = u32::try_from(wait_ns.div_ceil(1_000_000_000)).unwrap_or(u32::MAX);
        Err(Fault { retry_after: Some(seconds), ..Fault::new(Code::RateLimited, "Too many requests") })
    }
}

/// The number of a credential: all sessions of a person are one caller, each key is one.
fn named(actor: &Actor) -> u64 {
    match actor.who {
        Who::User(user) => user.get() << 1,
        Who::Key(key, _) => key.get() << 1 | 1,
        Who::System => 0,
    }
}

/// The credential that a request shows.
pub(crate) fn credential(request: &Request) -> Option<&str> {
    let bearer = header_of(request, "authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer.or_else(|| header_of(request, "x-api-key")).filter(|credential| !credential.is_empty())
}

fn address(config: &Config, request: &Request) -> IpAddr {
    let peer = request.remote_addr().as_socket_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = request.headers().get_all("x-forwarded-for").iter().rev();
    sender(config, peer, forwarded.map(|value| value.to_str().unwrap_or("?")), None).address
}
