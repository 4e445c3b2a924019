//! Where mails go: to an SMTP server, or as files to the outbox folder.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::time::timeout;
use trafficlab_shared::config::{Config, Secret};
use url::Url;

use super::outbox;

/// Folder of the files in the data folder.
pub(crate) const OUTBOX_FOLDER: &str = "outbox";
/// For each command of a conversation.
const COMMAND: Duration = Duration::from_secs(20);
/// For all of it, a large attachment included.
const CONVERSATION: Duration = Duration::from_secs(120);

/// Why mails cannot be sent with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The sender's address.
    #[error("`mail.from` is no address such as `Name <name@example.com>`")]
    From,
    /// The server's address. It is not shown, since it holds a password.
    #[error("`mail.smtp_url` is no `smtp://` or `smtps://` address: {0}")]
    Url(String),
}

/// Sends mails.
pub struct Mailer {
    /// Who sends.
    pub(super) from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Files(PathBuf),
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// Taken.
    Delivered,
    /// Refused for good; the code of the answer.
    Refused(u16),
    /// The server, not the mail, is what failed: nothing else will go through now.
    Away(&'static str),
    /// Another try may do.
    Later(&'static str),
}

impl Mailer {
    /// The mailer of a configuration.
    ///
    /// # Errors
    /// The key that cannot be used.
    pub fn new(config: &Config) -> Result<Self, MailerError> {
        let from = config.mail.from.parse().map_err(|_unnamed| MailerError::From)?;
        let way = match &config.mail.smtp_url {
            None => Way::Files(config.data_dir.join(OUTBOX_FOLDER)),
            Some(url) => Way::Smtp(Box::new(smtp(url)?)),
        };
        Ok(Self { from, way })
    }

    /// Sends a message; `name` is that of its file.
    pub(super) async fn send(&self, message: Message, name: &str) -> Sent {
        match &self.way {
            Way::Files(folder) => {
                let written = outbox::write(folder.clone(), name.to_owned(), message.formatted()).await;
                written.map_or_else(|error| told_away(&error), |()| Sent::Delivered)
            }
            Way::Smtp(transport) => match timeout(CONVERSATION, transport.send(message)).await {
                Err(_elapsed) => Sent::Away("it takes too long"),
                Ok(Ok(_accepted)) => Sent::Delivered,
                Ok(Err(error)) => judge(&error),
            },
        }
    }
}

fn told_away(error: &std::io::Error) -> Sent {
    tracing::warn!(%error, "the outbox folder cannot be written");
    Sent::Away("the outbox folder cannot be written")
}

/// Encryption is asked for unless the server is on this machine or the address says otherwise by `?tls=`.
fn smtp(url: &Secret) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailerError> {
    let refused = |reason: &str| MailerError::Url(reason.to_owned());
    let mut url = Url::parse(url.expose()).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "smtp" | "smtps") {
        return Err(refused("another scheme"));
    }
    let told = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    if url.scheme() == "smtp" && told.is_none() {
        let port = url.port();
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        url.query_pairs_mut().append_pair("tls", if here { "opportunistic" } else { "required" });
        if here && port.is_none() {
            // The port of a mail server of this machine.
            url.set_port(Some(25)).map_err(|()| refused("no host"))?;
        }
    }
    let plain = url.scheme() == "smtp" && told.as_deref() == Some("none");
    if plain {
        url.set_query(None);
    }
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str());
    // The library's errors may name the address, so they are not shown.
    Ok(builder.map_err(|_unnamed| refused("it cannot be used"))?.timeout(Some(COMMAND)).build())
}

/// Refusals of who we are and "service not available" are the server's, other refusals are the mail's (RFC 5321, 4.2.3).
fn judge(error: &SmtpError) -> Sent {
    let Some(code) = error.status().map(u16::from) else {
        return Sent::Away(if error.is_timeout() { "no answer in time" } else { "no conversation" });
    };
    match code {
        421 | 454 | 530 | 534 | 535 | 538 => Sent::Away("it does not serve us"),
        500.. => Sent::Refused(code),
        _ => Sent::Later("it answered with a passing refusal"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn addresses_of_servers_and_their_mistakes_which_show_no_password() {
        let of = |url: &str| smtp(&Secret::new(url)).map(|_| ()).map_err(|error| error.to_string());
        for good in [
            "smtp://127.0.0.1:2525",
            "smtp://mail.example.com",
            "smtp://u:p%40ss@mail.example.com:587?tls=required",
            "smtps://u:p@mail.example.com",
            "smtp://10.0.0.1?tls=none",
        ] {
            assert_eq!(of(good), Ok(()), "{good}");
        }
        for bad in ["https://u:hunter2@x.example", "smtp:", "u:hunter2@x", "smtp://u:hunter2@x.example?tls=perhaps"] {
            let told = of(bad).unwrap_err();
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
