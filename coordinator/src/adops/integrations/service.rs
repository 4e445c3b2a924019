//! The outside services, and what each of them asks for.

/// An outside service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Google Ads.
    Google,
    /// `LinkedIn`.
    Linkedin,
    /// Facebook and Instagram.
    Meta,
    /// Snapchat.
    Snapchat,
    /// `TikTok`.
    Tiktok,
    /// `WhatsApp`'s Cloud API.
    Whatsapp,
}

/// One of the things a service asks for, besides its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, here and in the configuration.
    pub name: &'static str,
    /// Whether it is never shown.
    pub secret: bool,
    /// Whether nothing goes without it.
    pub needed: bool,
}

const fn open(name: &'static str) -> Field {
    Field { name, secret: false, needed: true }
}

const fn secret(name: &'static str) -> Field {
    Field { name, secret: true, needed: true }
}

const fn optional(field: Field) -> Field {
    Field { needed: false, ..field }
}

impl Service {
    /// All, by their words.
    pub const ALL: [Self; 6] = [Self::Google, Self::Linkedin, Self::Meta, Self::Snapchat, Self::Tiktok, Self::Whatsapp];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Linkedin => "linkedin",
            Self::Meta => "meta",
            Self::Snapchat => "snapchat",
            Self::Tiktok => "tiktok",
            Self::Whatsapp => "whatsapp",
        }
    }

    /// The service of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == word)
    }

    /// What it asks for.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Google => {
                const {
                    &[
                        open("customer_id"),
                        secret("developer_token"),
                        secret("access_token"),
                        optional(open("conversion_action")),
                    ]
                }
            }
            Self::Linkedin => const { &[open("conversion_id"), secret("access_token")] },
            Self::Meta => const { &[open("pixel_id"), secret("access_token"), optional(open("account_id"))] },
            Self::Snapchat => const { &[open("pixel_id"), secret("access_token")] },
            Self::Tiktok => const { &[open("pixel_code"), secret("access_token")] },
            Self::Whatsapp => {
                const {
                    &[
                        open("phone_number_id"),
                        secret("access_token"),
                        optional(secret("app_secret")),
                        optional(secret("verify_token")),
                    ]
                }
            }
        }
    }
}
