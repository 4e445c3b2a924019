//! The integers that name things. They are counted per installation, and each is a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::store::table::Key;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub(crate) u64);

        impl $name {
            /// The integer that the API shows.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(to)
            }
        }

        impl Key for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
            fn decode(input: &mut &[u8]) -> Option<Self> {
                u64::decode(input).map(Self)
            }
        }
    };
}

id! {
    /// A customer of the installation. Requests get theirs from their credential, never from what they say.
    TenantId
}
id! {
    /// A person who can sign in.
    UserId
}
id! {
    /// An ad campaign.
    CampaignId
}
id! {
    /// An API key.
    KeyId
}
