//! The name of a table's column, held in place so that a variable stays a plain value that is copied.

/// The longest name of a column.
pub const MAX_COLUMN_BYTES: usize = 48;

/// The name of a column of 1 to [`MAX_COLUMN_BYTES`] bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Column {
    length: u8,
    bytes: [u8; MAX_COLUMN_BYTES],
}

impl Column {
    /// None for a name that is empty or too long.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; MAX_COLUMN_BYTES];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        let length = u8::try_from(name.len()).ok().filter(|length| *length > 0)?;
        Some(Self { length, bytes })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let name = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }
}

impl std::fmt::Debug for Column {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Column({:?})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_lengths() {
        let longest = "ä".repeat(MAX_COLUMN_BYTES / 2);
        for name in ["a", "e-mail", &longest] {
            assert_eq!(Column::new(name).as_ref().map(Column::as_str), Some(name));
        }
        assert_eq!(Column::new(""), None);
        assert_eq!(Column::new(&"x".repeat(MAX_COLUMN_BYTES + 1)), None);
    }
}
