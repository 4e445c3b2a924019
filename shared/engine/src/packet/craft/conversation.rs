//! A TCP conversation told step by step, as a capture near the client would see it.

use std::net::SocketAddr;

use super::capture::Packet;
use super::frame::{Frame, TcpHeader, tcp, tcp_flags};

use tcp_flags::{ACK, FIN, PSH, RST, SYN};

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who opened the conversation.
    Client,
    /// The other.
    Server,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What one side has sent so far.
#[derive(Debug, Clone)]
struct End {
    address: SocketAddr,
    next: u32,
    /// Sequence number and length of the last data segment.
    last: (u32, usize),
}

/// Builds the packets of one conversation. Every step adds packets; time goes on by the round trips and by `wait`.
#[derive(Debug, Clone)]
pub struct Conversation {
    client: End,
    server: End,
    now: i64,
    to_server_ns: i64,
    to_client_ns: i64,
    window: u16,
    vlan: Option<u16>,
    packets: Vec<Packet>,
}

impl Conversation {
    /// Between two ends, from a time in nanoseconds since 1970. The server answers after 10 ms, the client after 0.1 ms.
    #[must_use]
    pub fn new(client: SocketAddr, server: SocketAddr, start_ns: i64) -> Self {
        let end = |address, next| End { address, next, last: (next, 0) };
        Self {
            client: end(client, 1_000),
            server: end(server, 50_000),
            now: start_ns,
            to_server_ns: 10_000_000,
            to_client_ns: 100_000,
            window: 60_000,
            vlan: None,
            packets: Vec::new(),
        }
    }

    /// How long the server and the client take to answer, in nanoseconds.
    #[must_use]
    pub fn round_trips(mut self, server_ns: i64, client_ns: i64) -> Self {
        (self.to_server_ns, self.to_client_ns) = (server_ns, client_ns);
        self
    }

    /// All frames carry this tag.
    #[must_use]
    pub fn in_vlan(mut self, id: u16) -> Self {
        self.vlan = Some(id);
        self
    }

    /// The first sequence numbers of client and server. To be said before anything is sent.
    #[must_use]
    pub fn sequence(mut self, client: u32, server: u32) -> Self {
        (self.client.next, self.server.next) = (client, server);
        self
    }

    /// Lets time pass.
    pub fn wait(&mut self, ns: i64) -> &mut Self {
        self.now += ns;
        self
    }

    /// The time of the next packet.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// A SYN of the client that nobody has answered yet. Said again, it is a retransmission.
    pub fn syn(&mut self) -> &mut Self {
        let header = TcpHeader { seq: self.client.next, flags: SYN, window: self.window, ..TcpHeader::default() };
        self.push(Side::Client, &header, 0)
    }

    /// SYN, SYN/ACK, ACK.
    pub fn handshake(&mut self) -> &mut Self {
        self.syn().answer_syn();
        self.wait(self.to_client_ns).segment(Side::Client, ACK, 0)
    }

    /// The server's SYN/ACK alone.
    pub fn answer_syn(&mut self) -> &mut Self {
        self.client.next = self.client.next.wrapping_add(1);
        self.wait(self.to_server_ns).segment(Side::Server, SYN | ACK, 0);
        self.server.next = self.server.next.wrapping_add(1);
        self
    }

    /// SYN, and the server refuses.
    pub fn refused(&mut self) -> &mut Self {
        let wait = self.to_server_ns;
        self.syn().wait(wait);
        let ack = self.client.next.wrapping_add(1);
        let header = TcpHeader { seq: 0, ack, flags: RST | ACK, ..TcpHeader::default() };
        self.push(Side::Server, &header, 0)
    }

    /// A data segment that nobody has acknowledged yet.
    pub fn data(&mut self, side: Side, len: usize) -> &mut Self {
        let seq = self.end(side).next;
        self.segment(side, PSH | ACK, len);
        let end = self.end_mut(side);
        end.last = (seq, len);
        end.next = after(seq, len);
        self
    }

    /// A data segment that was sent but does not show in the capture.
    pub fn unseen(&mut self, side: Side, len: usize) -> &mut Self {
        let end = self.end_mut(side);
        end.last = (end.next, len);
        end.next = after(end.next, len);
        self
    }

    /// The last data segment of a side once more.
    pub fn retransmit(&mut self, side: Side) -> &mut Self {
        let (seq, len) = self.end(side).last;
        let ack = self.end(side.other()).next;
        let header = TcpHeader { seq, ack, flags: PSH | ACK, window: self.window, ..TcpHeader::default() };
        self.push(side, &header, len)
    }

    /// `side` acknowledges everything the other has sent, after its usual time.
    pub fn ack(&mut self, side: Side) -> &mut Self {
        let delay = if side == Side::Server { self.to_server_ns } else { self.to_client_ns };
        self.wait(delay).segment(side, ACK, 0)
    }

    /// An acknowledgement of `side` with a number of its own.
    pub fn ack_number(&mut self, side: Side, ack: u32) -> &mut Self {
        let header =
            TcpHeader { seq: self.end(side).next, ack, flags: ACK, window: self.window, ..TcpHeader::default() };
        self.push(side, &header, 0)
    }

    /// A data segment and its acknowledgement.
    pub fn exchange(&mut self, side: Side, len: usize) -> &mut Self {
        self.data(side, len).ack(side.other())
    }

    /// Both sides close, client first.
    pub fn close(&mut self) -> &mut Self {
        self.segment(Side::Client, FIN | ACK, 0);
        self.client.next = self.client.next.wrapping_add(1);
        self.wait(self.to_server_ns).segment(Side::Server, FIN | ACK, 0);
        self.server.next = self.server.next.wrapping_add(1);
        self.wait(self.to_client_ns).segment(Side::Client, ACK, 0)
    }

    /// `side` breaks off.
    pub fn reset(&mut self, side: Side) -> &mut Self {
        self.segment(side, RST | ACK, 0)
    }

    /// The next sequence number of a side.
    #[must_use]
    pub fn next(&self, side: Side) -> u32 {
        self.end(side).next
    }

    /// The packets so far, in the order they were told.
    #[must_use]
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// The first packet without its link header, or an empty frame when nothing was told.
    #[must_use]
    pub fn first_frame(&self) -> Frame {
        let ethertype = if self.client.address.is_ipv4() { 0x0800 } else { 0x86dd };
        let head = if self.vlan.is_some() { 18 } else { 14 };
        let bytes = self.packets.first().and_then(|packet| packet.bytes.get(head..)).unwrap_or_default();
        Frame { ethertype, bytes: bytes.to_vec() }
    }

    fn segment(&mut self, side: Side, flags: u16, len: usize) -> &mut Self {
        let (seq, ack) = (self.end(side).next, self.end(side.other()).next);
        let header = TcpHeader { seq, ack, flags, window: self.window, ..TcpHeader::default() };
        self.push(side, &header, len)
    }

    fn push(&mut self, side: Side, header: &TcpHeader, len: usize) -> &mut Self {
        let (src, dst) = (self.end(side).address, self.end(side.other()).address);
        let frame = tcp(src, dst, header, &vec![b'x'; len]);
        let frame = self.vlan.map_or_else(|| frame.clone(), |id| frame.vlan(id));
        self.packets.push(Packet { time_ns: self.now, bytes: frame.ethernet() });
        self
    }

    fn end(&self, side: Side) -> &End {
        if side == Side::Client { &self.client } else { &self.server }
    }

    fn end_mut(&mut self, side: Side) -> &mut End {
        if side == Side::Client { &mut self.client } else { &mut self.server }
    }
}

fn after(seq: u32, len: usize) -> u32 {
    seq.wrapping_add(u32::try_from(len).unwrap_or(u32::MAX))
}
