//! Rows on their way to a worker: pieces of columns, each as named MessagePack under zstd with its length before it,
//! u32 big endian. Fields may be added without breaking an older reader.

use std::borrow::Cow;
use std::io::{Error, ErrorKind, Read, Result, Write};

use serde::{Deserialize, Serialize};

use crate::ads::day::Day;
use crate::ads::figures::Figures;
use crate::ads::money::Currency;

/// Rows of a piece.
pub(super) const ROWS: usize = 8192;
/// Bytes of texts of a piece; one with longer ones has fewer rows.
const TEXTS: usize = 1 << 20;
/// A piece is never larger on the way, nor once it is unpacked. A campaign's record is 64 KiB at the most.
const MOST_BYTES: u32 = 8 << 20;
const MOST_UNPACKED: usize = 32 << 20;

/// A campaign as its rows show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign<'a> {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Where it runs.
    pub platform: Cow<'a, str>,
    /// How far it is.
    pub status: Cow<'a, str>,
    /// What it is for.
    pub objective: Option<Cow<'a, str>>,
    /// Its id at the platform.
    pub external_id: Option<Cow<'a, str>>,
    /// The account at the platform.
    pub account_id: Option<Cow<'a, str>>,
    /// The currency of all its money.
    pub currency: Currency,
    /// Minor units.
    pub daily_budget: Option<u64>,
    /// Minor units.
    pub lifetime_budget: Option<u64>,
    /// Its first day.
    pub start: Option<Day>,
    /// Its last day.
    pub end: Option<Day>,
    /// Its labels.
    pub labels: Cow<'a, [String]>,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// Nanoseconds since 1970.
    pub updated_ns: u64,
}

impl Campaign<'_> {
    fn texts(&self) -> usize {
        let optional = [&self.objective, &self.external_id, &self.account_id];
        let optional: usize = optional.into_iter().flatten().map(|text| text.len()).sum();
        self.name.len() + optional + self.labels.iter().map(String::len).sum::<usize>()
    }
}

/// Some rows, column by column.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Piece<'a> {
    campaigns: Vec<Campaign<'a>>,
    /// Of each row, the place of its campaign in `campaigns`.
    of: Vec<u32>,
    /// Of each row, its day; empty when rows are campaigns.
    days: Vec<Day>,
    impressions: Vec<u64>,
    clicks: Vec<u64>,
    conversions_milli: Vec<u64>,
    spend: Vec<u64>,
    revenue: Vec<u64>,
}

impl<'a> Piece<'a> {
    /// The rows; those without a campaign or a figure are none.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Campaign<'a>, Option<Day>, Figures)> {
        self.of.iter().enumerate().filter_map(|(place, campaign)| {
            let figures = Figures {
                impressions: *self.impressions.get(place)?,
                clicks: *self.clicks.get(place)?,
                conversions_milli: *self.conversions_milli.get(place)?,
                spend: *self.spend.get(place)?,
                revenue: *self.revenue.get(place)?,
            };
            let campaign = self.campaigns.get(usize::try_from(*campaign).ok()?)?;
            Some((campaign, self.days.get(place).copied(), figures))
        })
    }
}

/// Writes rows; holds one piece of them.
pub struct Writer<'a, W> {
    out: W,
    piece: Piece<'a>,
    texts: usize,
    rows: u64,
}

impl<'a, W: Write> Writer<'a, W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, piece: Piece::default(), texts: 0, rows: 0 }
    }

    /// Adds the rows of a campaign: its days in their order, or one row without a day.
    ///
    /// # Errors
    /// What the writer says.
    pub fn push(
        &mut self,
        campaign: &Campaign<'a>,
        rows: impl IntoIterator<Item = (Option<Day>, Figures)>,
    ) -> Result<()> {
        let mut named = false;
        for (day, figures) in rows {
            if self.piece.of.len() >= ROWS || self.texts >= TEXTS {
                self.flush()?;
                named = false;
            }
            if !named {
                self.texts += campaign.texts();
                self.piece.campaigns.push(campaign.clone());
                named = true;
            }
            self.add(day, figures);
        }
        Ok(())
    }

    fn add(&mut self, day: Option<Day>, figures: Figures) {
        let piece = &mut self.piece;
        piece.of.push(u32::try_from(piece.campaigns.len()).unwrap_or(u32::MAX).saturating_sub(1));
        piece.days.extend(day);
        piece.impressions.push(figures.impressions);
        piece.clicks.push(figures.clicks);
        piece.conversions_milli.push(figures.conversions_milli);
        piece.spend.push(figures.spend);
        piece.revenue.push(figures.revenue);
        self.rows += 1;
    }

    fn flush(&mut self) -> Result<()> {
        let piece = std::mem::take(&mut self.piece);
        self.texts = 0;
        if piece.of.is_empty() {
            return Ok(());
        }
        let plain = rmp_serde::to_vec_named(&piece).map_err(Error::other)?;
        let packed = zstd::bulk::compress(&plain, 1)?;
        let length = u32::try_from(packed.len()).map_err(Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&packed)
    }

    /// Writes what is held back. Comes back with the writer and how many rows there are.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> Result<(W, u64)> {
        self.flush()?;
        self.out.flush()?;
        Ok((self.out, self.rows))
    }
}

/// The pieces of an input, one after the other.
pub(super) struct Pieces<R> {
    from: R,
    over: bool,
}

impl<R: Read> Pieces<R> {
    pub(super) const fn new(from: R) -> Self {
        Self { from, over: false }
    }

    fn read(&mut self) -> Result<Option<Piece<'static>>> {
        let mut length = [0; 4];
        let first = loop {
            match self.from.read(&mut length) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if first == 0 {
            return Ok(None);
        }
        self.from.read_exact(length.get_mut(first..).unwrap_or_default())?;
        let length = u32::from_be_bytes(length);
        if length > MOST_BYTES {
            return Err(damaged("a piece is too long"));
        }
        let mut packed = vec![0; usize::try_from(length).map_err(Error::other)?];
        self.from.read_exact(&mut packed)?;
        let plain = zstd::bulk::decompress(&packed, MOST_UNPACKED).map_err(|error| damaged(&error.to_string()))?;
        rmp_serde::from_slice(&plain).map(Some).map_err(|error| damaged(&error.to_string()))
    }
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the rows of the export cannot be read: {what}"))
}

impl<R: Read> Iterator for Pieces<R> {
    type Item = Result<Piece<'static>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.read().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
