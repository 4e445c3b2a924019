//! Looking up a target's addresses and judging each of them before a run starts.

use std::net::IpAddr;
use std::time::Duration;

use trafficlab_shared::allow::{TargetGuard, needs_ownership_proof};
use trafficlab_shared::target::TargetUrl;

use super::targets::refused;
use crate::systems::{Code, Fault, Outcome};

const LOOKUP: Duration = Duration::from_secs(5);

/// The addresses of a target that a run may connect to.
///
/// # Errors
/// The name cannot be resolved, or no address is allowed.
pub async fn addresses(guard: &TargetGuard, target: &TargetUrl) -> Outcome<Vec<IpAddr>> {
    let found: Vec<IpAddr> = match target.literal_address() {
        Some(address) => vec![address],
        None => lookup(&target.host, target.port).await?,
    };
    let mut refusal = None;
    let mut allowed = Vec::new();
    for address in found {
        match guard.check_address(&target.host, target.port, address) {
            Ok(()) => allowed.push(address),
            Err(reason) => refusal = Some(reason),
        }
    }
    match refusal {
        Some(reason) if allowed.is_empty() => Err(refused(&reason)),
        _ => Ok(allowed),
    }
}

async fn lookup(host: &str, port: u16) -> Outcome<Vec<IpAddr>> {
    let unresolved = |why: &str| {
        let message = format!("The host `{host}` of `target_url` cannot be resolved: {why}");
        Fault::new(Code::Unprocessable, message.clone()).detail("target_url", message)
    };
    match tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host, port))).await {
        Err(_elapsed) => Err(unresolved("the name server does not answer")),
        Ok(Err(error)) => Err(unresolved(&error.to_string())),
        Ok(Ok(found)) => {
            let found: Vec<IpAddr> = found.map(|socket| socket.ip()).collect();
            if found.is_empty() { Err(unresolved("it has no address")) } else { Ok(found) }
        }
    }
}

/// The first address whose owner must agree, if any.
#[must_use]
pub fn public(addresses: &[IpAddr]) -> Option<IpAddr> {
    addresses.iter().copied().find(|address| needs_ownership_proof(*address))
}
