//! Readers for values whose text form needs a second look: unset texts and networks.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::de::{Error, IntoDeserializer, value};
use serde::{Deserialize, Deserializer};

/// Reads a text; an empty one means that the key is not set.
pub(super) fn unset<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    let inner: value::StringDeserializer<D::Error> = text.into_deserializer();
    T::deserialize(inner).map(Some)
}

/// Reads addresses (`10.0.0.1`) and networks (`10.0.0.0/8`); an address is a network of one.
pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: &String| {
        let whole = text.parse::<IpNet>().ok();
        let net = whole.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        net.ok_or_else(|| {
            D::Error::custom(format!("`{text}` is neither an address nor a network such as `10.0.0.0/8`"))
        })
    };
    texts.iter().map(parse).collect()
}
