//! What is wrong with a configuration: every mistake with its key and origin.

use std::fmt;

use super::layers::Origin;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// Dotted key; empty when the mistake concerns a whole layer.
    pub key: String,
    /// Where the value was written.
    pub origin: Origin,
    /// What is wrong, without a full stop.
    pub message: String,
}

impl ConfigFault {
    pub(super) fn new(key: &str, origin: Origin, message: impl Into<String>) -> Self {
        Self { key: key.to_owned(), origin, message: message.into() }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            return write!(formatter, "{}: {}", self.origin, self.message);
        }
        write!(formatter, "`{}` ({}): {}", self.key, self.origin, self.message)
    }
}

/// All mistakes of a configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(
    /// The mistakes, in the order they were found.
    pub Vec<ConfigFault>,
);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(formatter, "the configuration has a mistake: {only}"),
            all => {
                write!(formatter, "the configuration has {} mistakes:", all.len())?;
                all.iter().try_for_each(|fault| write!(formatter, "\n  {fault}"))
            }
        }
    }
}
