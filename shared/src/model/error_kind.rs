//! Why a request failed, as a stable code.

use serde::{Deserialize, Serialize};

/// Why a request failed; the number is stored and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ErrorKind {
    /// It did not fail.
    #[default]
    None = 0,
    /// No connection could be made.
    Connect = 1,
    /// The host name could not be resolved.
    Dns = 2,
    /// The TLS handshake failed.
    Tls = 3,
    /// No whole response within the time-out.
    Timeout = 4,
    /// The peer closed or reset the connection before the response was whole.
    Reset = 5,
    /// The response was not HTTP.
    Protocol = 6,
    /// The allow-list or the address rules refused the target.
    RefusedTarget = 7,
    /// The response came and a response check said no.
    CheckFailed = 8,
    /// The run ended before the response came.
    Aborted = 9,
    /// A template expanded to something that must not be sent.
    Template = 10,
}

impl ErrorKind {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 11] = [
        Self::None,
        Self::Connect,
        Self::Dns,
        Self::Tls,
        Self::Timeout,
        Self::Reset,
        Self::Protocol,
        Self::RefusedTarget,
        Self::CheckFailed,
        Self::Aborted,
        Self::Template,
    ];

    /// The stored code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this code, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The name in entries and counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Connect => "connect",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::RefusedTarget => "refused_target",
            Self::CheckFailed => "check_failed",
            Self::Aborted => "aborted",
            Self::Template => "template",
        }
    }
}
