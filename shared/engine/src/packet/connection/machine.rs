//! How far each end of a TCP connection has come, and the name that Zeek gives to both together.
//!
//! The states and the rules follow what Zeek documents for `conn_state` and does in its TCP session.

/// One end of a connection by what it has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// Nothing yet.
    #[default]
    Inactive,
    /// A SYN.
    SynSent,
    /// A SYN with ACK, before the other end sent anything.
    SynAckSent,
    /// Something without a SYN before it.
    Partial,
    /// Both ends agreed.
    Established,
    /// A FIN.
    Closed,
    /// A RST.
    Reset,
}

/// Flag bits of the TCP header.
pub(crate) const FIN: u16 = 0x01;
/// See `FIN`.
pub(crate) const SYN: u16 = 0x02;
/// See `FIN`.
pub(crate) const RST: u16 = 0x04;
/// See `FIN`.
pub(crate) const ACK: u16 = 0x10;

/// Both ends, the originator first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Machine {
    ends: [End; 2],
    before: [End; 2],
}

impl Machine {
    /// Takes a segment of the originator (`from` 0) or of the responder (1).
    pub(crate) fn take(&mut self, from: usize, flags: u16, payload: u32) {
        match self.end(from) {
            End::Inactive => self.inactive(from, flags, payload),
            End::SynSent | End::SynAckSent => self.closing(from, flags),
            End::Partial | End::Established => self.established(from, flags),
            End::Closed => {
                if flags & RST != 0 && self.end(1 - from) != End::Closed {
                    self.set(from, End::Reset);
                }
            }
            End::Reset => {}
        }
    }

    /// The state of an end.
    pub(crate) fn end(&self, which: usize) -> End {
        self.ends.get(which).copied().unwrap_or_default()
    }

    /// Whether no further data is expected: both sent FIN, or one sent RST.
    pub(crate) fn over(&self) -> bool {
        let [a, b] = self.ends;
        a == End::Reset || b == End::Reset || (a == End::Closed && b == End::Closed)
    }

    /// Whether both ends agreed to talk and neither has begun to close.
    pub(crate) fn open(&self) -> bool {
        self.ends.iter().all(|end| matches!(end, End::Established | End::Partial))
    }

    /// The name of both states together; `data` says whether either end sent payload.
    pub(crate) fn name(&self, data: bool, syn_then_reset: bool) -> Name {
        let [o, r] = self.ends;
        let silent = |end| matches!(end, End::Inactive | End::Partial);
        match (o, r) {
            (End::SynSent | End::SynAckSent, End::Reset) => Name::Rej,
            (End::Reset, End::Reset) if !data => Name::Rej,
            (_, End::Reset) if silent(o) => Name::Rstrh,
            (_, End::Reset) => Name::Rstr,
            (End::Reset, _) if silent(r) && syn_then_reset => Name::Rstos0,
            (End::Reset, _) if silent(r) => Name::Oth,
            (End::Reset, _) => Name::Rsto,
            (End::Closed, End::Closed) => Name::Sf,
            (End::Closed, _) if silent(r) => Name::Sh,
            (End::Closed, _) => Name::S2,
            (_, End::Closed) if silent(o) => Name::Shr,
            (_, End::Closed) => Name::S3,
            (End::SynSent, End::Inactive) => Name::S0,
            (End::Established, End::Established) => Name::S1,
            _ => Name::Oth,
        }
    }

    fn set(&mut self, which: usize, state: End) {
        let now = self.end(which);
        if let (Some(end), Some(before)) = (self.ends.get_mut(which), self.before.get_mut(which)) {
            *before = now;
            *end = state;
        }
    }

    fn inactive(&mut self, from: usize, flags: u16, payload: u32) {
        let peer = self.end(1 - from);
        if flags & SYN != 0 {
            self.first_syn(from, flags);
        }
        if flags & FIN != 0 {
            self.set(from, End::Closed);
        }
        if flags & RST != 0 {
            self.set(from, End::Reset);
        }
        if self.end(from) != End::Inactive {
            return;
        }
        // Some servers acknowledge a SYN before they answer it; that makes no partial connection.
        let early_ack = from == 1 && payload == 0 && peer == End::SynSent;
        if flags & ACK != 0 && peer == End::Established {
            self.set(from, End::Established);
        } else if !early_ack {
            self.set(from, End::Partial);
        }
    }

    fn first_syn(&mut self, from: usize, flags: u16) {
        if from == 0 {
            let state = if flags & ACK != 0 { End::SynAckSent } else { End::SynSent };
            self.set(from, state);
            return;
        }
        if matches!(self.end(0), End::SynSent | End::SynAckSent) {
            self.set(0, End::Established);
        }
        self.set(1, End::Established);
    }

    fn closing(&mut self, from: usize, flags: u16) {
        if flags & FIN != 0 {
            self.set(from, End::Closed);
        }
        if flags & RST != 0 {
            self.set(from, End::Reset);
        }
    }

    fn established(&mut self, from: usize, flags: u16) {
        let peer = 1 - from;
        let (state, other) = (self.end(from), self.end(peer));
        if flags & SYN != 0 && flags & ACK == 0 && state == End::Partial && other == End::Inactive {
            self.set(from, End::SynSent);
        }
        if flags & FIN != 0 && flags & RST == 0 {
            self.set(from, End::Closed);
            // A FIN and then a RST of the other end was a normal end after all.
            if other == End::Reset && self.before.get(peer) == Some(&End::Closed) {
                self.set(peer, End::Closed);
            }
        }
        if flags & RST != 0 {
            self.set(from, End::Reset);
        }
    }
}

/// Zeek's names of connection states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Name {
    /// Attempt without a reply.
    S0,
    /// Established, not ended.
    S1,
    /// Normal beginning and end.
    Sf,
    /// Attempt rejected.
    Rej,
    /// Established, the originator has closed.
    S2,
    /// Established, the responder has closed.
    S3,
    /// Established, the originator aborted.
    Rsto,
    /// Established, the responder aborted.
    Rstr,
    /// SYN and then RST of the originator, no answer.
    Rstos0,
    /// SYN/ACK and then RST of the responder, no SYN seen.
    Rstrh,
    /// SYN and then FIN of the originator, no answer.
    Sh,
    /// SYN/ACK and then FIN of the responder, no SYN seen.
    Shr,
    /// Traffic without a beginning.
    Oth,
}

impl Name {
    /// All names, in the order of their numbers.
    pub(crate) const ALL: [Self; 13] = [
        Self::S0,
        Self::S1,
        Self::Sf,
        Self::Rej,
        Self::S2,
        Self::S3,
        Self::Rsto,
        Self::Rstr,
        Self::Rstos0,
        Self::Rstrh,
        Self::Sh,
        Self::Shr,
        Self::Oth,
    ];

    /// The word of conn.log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::S0 => "S0",
            Self::S1 => "S1",
            Self::Sf => "SF",
            Self::Rej => "REJ",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::Rsto => "RSTO",
            Self::Rstr => "RSTR",
            Self::Rstos0 => "RSTOS0",
            Self::Rstrh => "RSTRH",
            Self::Sh => "SH",
            Self::Shr => "SHR",
            Self::Oth => "OTH",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `S` is a SYN, `H` SYN/ACK, `A` a plain ACK, `D` data, `F` FIN, `R` RST; capitals are the originator's.
    fn name_after(story: &str) -> &'static str {
        let mut machine = Machine::default();
        let mut data = false;
        for letter in story.chars() {
            let (flags, payload) = match letter.to_ascii_lowercase() {
                's' => (SYN, 0),
                'h' => (SYN | ACK, 0),
                'd' => (ACK, 10),
                'f' => (FIN | ACK, 0),
                'r' => (RST, 0),
                _ => (ACK, 0),
            };
            data |= payload > 0;
            machine.take(usize::from(letter.is_ascii_lowercase()), flags, payload);
        }
        let reset = !story.contains(['H', 'A', 'F', 'h', 'a', 'd', 'f']) && story.contains('S');
        machine.name(data, reset).as_str()
    }

    #[test]
    fn every_name_of_zeek_has_its_story() {
        let stories = [
            ("S", "S0"),
            ("SS", "S0"),
            ("ShA", "S1"),
            ("ShADd", "S1"),
            ("ShADdFfA", "SF"),
            ("Sr", "REJ"),
            ("ShADF", "S2"),
            ("ShADf", "S3"),
            ("ShADR", "RSTO"),
            ("ShADr", "RSTR"),
            ("SR", "RSTOS0"),
            ("hr", "RSTRH"),
            ("SF", "SH"),
            ("hf", "SHR"),
            ("Dd", "OTH"),
            ("ShR", "RSTO"),
            ("ShADFRf", "SF"),
        ];
        for (story, name) in stories {
            assert_eq!(name_after(story), name, "{story}");
        }
    }
}
