//! A packet as it comes from a file or an interface, before anybody looks inside.

/// The kind of the first header, a number of the LINKTYPE registry of tcpdump.org without its high bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

/// One captured packet. The bytes belong to whoever reads them.
#[derive(Debug, Clone, Copy)]
pub struct RawPacket<'a> {
    /// Nanoseconds since 1970; absent where the format has none (simple packet blocks).
    pub time_ns: Option<i64>,
    /// Bytes on the wire.
    pub wire_len: u32,
    /// The captured bytes, at most `wire_len` of them in an honest file.
    pub data: &'a [u8],
    /// What they begin with.
    pub link: LinkType,
}
