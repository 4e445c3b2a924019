//! Keyed, prefix-preserving anonymisation of addresses: Crypto-PAn.
//!
//! J. Xu, J. Fan, M. H. Ammar, S. B. Moon, "Prefix-Preserving IP Address Anonymization: Measurement-Based Security
//! Evaluation and a New Cryptography-Based Scheme", ICNP 2002. Two addresses that share their first n bits share exactly
//! the first n bits afterwards, so networks stay networks; without the key it cannot be undone. Whoever can send packets
//! of known addresses through the capture can still learn what became of those.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use aes::Aes128;
use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use serde_json::Value;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::counts::{FlowEnds, Talker};
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::window::Window;

/// Bytes of a key: sixteen for AES, sixteen that become the padding.
pub const KEY_BYTES: usize = 32;

/// Maps addresses to addresses under a key.
#[derive(Clone)]
pub struct Anonymiser {
    cipher: Aes128,
    padding: u128,
}

impl std::fmt::Debug for Anonymiser {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Anonymiser(***)")
    }
}

/// A key that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is 32 bytes or 64 hexadecimal digits, this one has {0} bytes")]
pub struct KeyFault(usize);

impl Anonymiser {
    /// Under this key.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let (first, second) = halves(key);
        let cipher = Aes128::new(&first.into());
        let mut padding = second.into();
        cipher.encrypt_block(&mut padding);
        Self { cipher, padding: u128::from_be_bytes(padding.into()) }
    }

    /// Under the key in a file: 32 bytes, or 64 hexadecimal digits with white space around them.
    ///
    /// # Errors
    /// When it is neither.
    pub fn of_key(key: &[u8]) -> Result<Self, KeyFault> {
        if let Ok(key) = key.try_into() {
            return Ok(Self::new(key));
        }
        let text = key.trim_ascii();
        let digits: Option<Vec<u8>> = text.iter().map(|letter| hex(*letter)).collect();
        let digits = digits.ok_or(KeyFault(key.len()))?;
        let bytes: Vec<u8> =
            digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |all, one| all << 4 | one)).collect();
        let whole = digits.len() == 2 * KEY_BYTES;
        let key = <&[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok().filter(|_| whole);
        key.map(Self::new).ok_or(KeyFault(text.len()))
    }

    /// The address that stands for this one.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(address) => {
                let mapped = self.bits(u128::from(address.to_bits()) << 96, 32) >> 96;
                Ipv4Addr::from_bits(u32::try_from(mapped).expect("the upper 96 bits were shifted out")).into()
            }
            IpAddr::V6(address) => Ipv6Addr::from_bits(self.bits(address.to_bits(), 128)).into(),
        }
    }

    /// Flips bit i of the leftmost `length` by the first bit of AES over the i bits before it and padding.
    fn bits(&self, address: u128, length: u32) -> u128 {
        (0..length).fold(address, |mapped, place| {
            let kept = u128::MAX.checked_shl(128 - place).unwrap_or(0);
            let mut block = ((address & kept) | (self.padding & !kept)).to_be_bytes().into();
            self.cipher.encrypt_block(&mut block);
            mapped ^ ((u128::from_be_bytes(block.into()) >> 127) << (127 - place))
        })
    }

    /// A text with every address in it replaced, ports and everything else kept.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 8);
        let mut rest = text;
        while !rest.is_empty() {
            let word_end = rest.find(|letter: char| !is_of_address(letter)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(word_end);
            out.push_str(&self.word(word));
            let next = after.find(is_of_address).unwrap_or(after.len());
            let (between, behind) = after.split_at(next);
            out.push_str(between);
            rest = behind;
        }
        out
    }

    /// A run of letters that addresses are made of; a sentence may end right behind one.
    fn word(&self, word: &str) -> String {
        let bare = word.trim_end_matches(['.', ':']);
        for candidate in [word, bare] {
            let mapped = self.end(candidate);
            if let Some(mapped) = mapped {
                let (_, tail) = word.split_at(candidate.len());
                return mapped + tail;
            }
        }
        word.to_owned()
    }

    /// `address`, `address:port` or `[address]:port`.
    fn end(&self, text: &str) -> Option<String> {
        if let Ok(address) = text.parse() {
            return Some(self.address(address).to_string());
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Some(SocketAddr::new(self.address(socket.ip()), socket.port()).to_string());
        }
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        Some(format!("[{}]", self.address(inner.parse().ok()?)))
    }

    /// Replaces every address of a window.
    pub fn window(&self, window: &mut Window) {
        self.talkers(&mut window.top_src);
        self.talkers(&mut window.top_dst);
        let flows = window.top_flows.iter_mut().map(|of| &mut of.flow);
        let flows = flows.chain(window.lossy.iter_mut().map(|of| &mut of.flow));
        let flows = flows.chain(window.slow.iter_mut().map(|of| &mut of.flow));
        flows.chain(window.long_lived.iter_mut().map(|of| &mut of.flow)).for_each(|flow| self.flow(flow));
        for scan in &mut window.scans {
            self.replace(&mut scan.src);
            scan.victim.iter_mut().chain(&mut scan.examples).for_each(|text| self.replace(text));
        }
    }

    /// Replaces every address of an anomaly, those in its message too.
    pub fn anomaly(&self, anomaly: &mut Anomaly) {
        self.replace(&mut anomaly.message);
        anomaly.flow_src.iter_mut().chain(&mut anomaly.flow_dst).for_each(|text| self.replace(text));
    }

    /// Replaces both addresses of a connection.
    pub fn connection(&self, connection: &mut Connection) {
        connection.src = self.address(connection.src);
        connection.dst = self.address(connection.dst);
    }

    /// Replaces every address of a summary.
    pub fn summary(&self, summary: &mut Summary) {
        self.talkers(&mut summary.top_src);
        self.talkers(&mut summary.top_dst);
    }

    /// Replaces the addresses in every text of a JSON value; names of members stay.
    pub fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.replace(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.json(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.json(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn talkers(&self, talkers: &mut [Talker]) {
        talkers.iter_mut().for_each(|talker| self.replace(&mut talker.addr));
    }

    fn flow(&self, flow: &mut FlowEnds) {
        self.replace(&mut flow.src);
        self.replace(&mut flow.dst);
    }

    fn replace(&self, text: &mut String) {
        *text = self.text(text);
    }
}

const fn is_of_address(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | ':' | '[' | ']')
}

fn hex(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn halves(key: &[u8; KEY_BYTES]) -> ([u8; 16], [u8; 16]) {
    let mut halves = ([0; 16], [0; 16]);
    for (into, from) in halves.0.iter_mut().chain(&mut halves.1).zip(key) {
        *into = *from;
    }
    halves
}

#[cfg(test)]
#[path = "anonymise_tests.rs"]
mod tests;
