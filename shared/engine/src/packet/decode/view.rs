//! The bytes of one header and what follows it: what was captured of them, and how many there were on the wire.

/// A stretch of a packet. `data` may be shorter than `len`, which headers and the capture say it was on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) data: &'a [u8],
    pub(super) len: u32,
}

impl<'a> View<'a> {
    #[inline]
    pub(super) fn u8(&self, at: usize) -> Option<u8> {
        self.data.get(at).copied()
    }

    #[inline]
    pub(super) fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.data.get(at..)?.first_chunk().copied()
    }

    #[inline]
    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_be_bytes)
    }

    #[inline]
    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// What follows `bytes`; none when they were not all captured.
    #[inline]
    pub(super) fn skip(&self, bytes: usize) -> Option<Self> {
        let data = self.data.get(bytes..)?;
        Some(Self { data, len: self.len.checked_sub(u32::try_from(bytes).ok()?)? })
    }

    /// The same, ending after `len` bytes if it does not end before.
    #[inline]
    pub(super) fn limit(&self, len: u32) -> Self {
        let kept = usize::try_from(len).unwrap_or(usize::MAX).min(self.data.len());
        Self { data: self.data.get(..kept).unwrap_or_default(), len: self.len.min(len) }
    }
}
