//! The figures of one campaign by day, dense and in order, so that a sum over a range is one pass over an array.

use super::day::{Day, Days};
use super::figures::Figures;

/// Days that a series may span: twenty years. It is what bounds the memory of one that is given absurd days.
pub const MAX_DAYS: u32 = 20 * 366;

/// Days from the first to the last that has figures. A day between them without figures is missing, which is something
/// else than a day of zeros.
#[derive(Debug, Clone, Default)]
pub struct Series {
    first: i32,
    rows: Rows,
    /// One bit a row: whether the day has figures.
    present: Vec<u64>,
    /// Days that have figures.
    days: u32,
}

/// Impressions, clicks, thousandths of conversions, spend and revenue, row by row; zeros where the day is missing.
///
/// The figures of a day nearly always fit in 32 bits; a series in which one does not is held in 64.
#[derive(Debug, Clone)]
enum Rows {
    Narrow(Vec<[u32; 5]>),
    Wide(Vec<[u64; 5]>),
}

/// What became of a day that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// It was missing.
    Inserted,
    /// It had other figures: these.
    Updated(Figures),
    /// It had the same figures.
    Unchanged,
    /// It lies so far from the other days that the series would span more than [`MAX_DAYS`]; nothing was changed.
    TooFar,
}

impl Default for Rows {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Series {
    /// The first day that has figures.
    #[must_use]
    pub fn first(&self) -> Option<Day> {
        (self.days > 0).then_some(Day(self.first))
    }

    /// The last day that has figures.
    #[must_use]
    pub fn last(&self) -> Option<Day> {
        let rows = i32::try_from(self.rows.len()).ok()?;
        (self.days > 0).then(|| Day(self.first.saturating_add(rows - 1)))
    }

    /// How many days have figures.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.days
    }

    /// Whether no day has figures.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.days == 0
    }

    /// The figures of a day; none when it is missing.
    #[must_use]
    pub fn get(&self, day: Day) -> Option<Figures> {
        let row = self.row(day)?;
        self.has(row).then(|| self.rows.get(row)).flatten()
    }

    /// Sets the figures of a day.
    pub fn set(&mut self, day: Day, figures: Figures) -> Set {
        let Some(row) = self.make_room(day) else { return Set::TooFar };
        let before = self.has(row).then(|| self.rows.get(row)).flatten();
        if before == Some(figures) {
            return Set::Unchanged;
        }
        self.rows.set(row, figures);
        match before {
            Some(before) => Set::Updated(before),
            None => {
                if let Some(word) = self.present.get_mut(row / 64) {
                    *word |= 1 << (row % 64);
                }
                self.days += 1;
                Set::Inserted
            }
        }
    }

    /// The sum over a range of days.
    #[must_use]
    pub fn sum(&self, days: Days) -> Figures {
        let (from, to) = self.span(days);
        match &self.rows {
            Rows::Narrow(rows) => {
                let mut sums = [0_u64; 5];
                for row in rows.get(from..to).unwrap_or_default() {
                    for (sum, value) in sums.iter_mut().zip(row) {
                        // At most 2^13 rows below 2^32 each: never beyond 2^45.
                        *sum += u64::from(*value);
                    }
                }
                figures(sums)
            }
            Rows::Wide(rows) => rows.get(from..to).unwrap_or_default().iter().map(|row| figures(*row)).sum(),
        }
    }

    /// The days of a range that have figures, in order.
    pub fn days(&self, days: Days) -> impl Iterator<Item = (Day, Figures)> + '_ {
        let (from, to) = self.span(days);
        (from..to).filter(|row| self.has(*row)).filter_map(|row| {
            let day = Day(self.first.saturating_add(i32::try_from(row).ok()?));
            Some((day, self.rows.get(row)?))
        })
    }

    /// All days that have figures, in order.
    pub fn all(&self) -> impl Iterator<Item = (Day, Figures)> + '_ {
        self.days(Days { first: Day(i32::MIN), last: Day(i32::MAX) })
    }

    /// Gives back the memory that was reserved for days to come.
    pub fn shrink(&mut self) {
        match &mut self.rows {
            Rows::Narrow(rows) => rows.shrink_to_fit(),
            Rows::Wide(rows) => rows.shrink_to_fit(),
        }
        self.present.shrink_to_fit();
    }

    /// The row of a day, when it lies between the first and the last.
    fn row(&self, day: Day) -> Option<usize> {
        usize::try_from(day.0.checked_sub(self.first)?).ok().filter(|row| *row < self.rows.len())
    }

    fn has(&self, row: usize) -> bool {
        self.present.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// The rows of a range, from the first to one behind the last.
    fn span(&self, days: Days) -> (usize, usize) {
        let rows = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        let row = |day: i64| usize::try_from((day - i64::from(self.first)).clamp(0, rows)).unwrap_or(0);
        let (from, to) = (row(days.first.0.into()), row(i64::from(days.last.0) + 1));
        (from, to.max(from))
    }

    /// The row of a day, made when there is none yet; none when the series would become too long.
    fn make_room(&mut self, day: Day) -> Option<usize> {
        if self.days == 0 {
            self.first = day.0;
        }
        let distance = i64::from(day.0) - i64::from(self.first);
        let last = i64::try_from(self.rows.len()).ok()? - 1;
        if distance.max(last) - distance.min(0) >= i64::from(MAX_DAYS) {
            return None;
        }
        if distance < 0 {
            let before = usize::try_from(-distance).ok()?;
            self.rows.prepend(before);
            self.first = day.0;
            self.shift_present(before);
            return Some(0);
        }
        let row = usize::try_from(distance).ok()?;
        if row >= self.rows.len() {
            self.rows.extend_to(row + 1);
            self.present.resize((row + 1).div_ceil(64), 0);
        }
        Some(row)
    }

    fn shift_present(&mut self, by: usize) {
        let mut shifted = vec![0_u64; self.rows.len().div_ceil(64)];
        let held = (0..self.rows.len() - by).filter(|row| self.has(*row)).map(|row| row + by);
        for row in held {
            if let Some(word) = shifted.get_mut(row / 64) {
                *word |= 1 << (row % 64);
            }
        }
        self.present = shifted;
    }
}

impl FromIterator<(Day, Figures)> for Series {
    /// A series of days in any order; those too far from the ones before them are left out.
    fn from_iter<T: IntoIterator<Item = (Day, Figures)>>(days: T) -> Self {
        let mut series = Self::default();
        for (day, figures) in days {
            series.set(day, figures);
        }
        series.shrink();
        series
    }
}

impl Rows {
    fn len(&self) -> usize {
        match self {
            Self::Narrow(rows) => rows.len(),
            Self::Wide(rows) => rows.len(),
        }
    }

    fn get(&self, row: usize) -> Option<Figures> {
        match self {
            Self::Narrow(rows) => rows.get(row).map(|row| figures(row.map(u64::from))),
            Self::Wide(rows) => rows.get(row).map(|row| figures(*row)),
        }
    }

    fn set(&mut self, row: usize, figures: Figures) {
        let wide = values(figures);
        if let Self::Narrow(rows) = self {
            if let Some(narrow) = narrowed(wide) {
                if let Some(place) = rows.get_mut(row) {
                    *place = narrow;
                }
                return;
            }
            *self = Self::Wide(rows.iter().map(|row| row.map(u64::from)).collect());
        }
        if let Self::Wide(rows) = self
            && let Some(place) = rows.get_mut(row)
        {
            *place = wide;
        }
    }

    fn prepend(&mut self, count: usize) {
        match self {
            Self::Narrow(rows) => drop(rows.splice(0..0, std::iter::repeat_n([0; 5], count))),
            Self::Wide(rows) => drop(rows.splice(0..0, std::iter::repeat_n([0; 5], count))),
        }
    }

    fn extend_to(&mut self, length: usize) {
        match self {
            Self::Narrow(rows) => rows.resize(length, [0; 5]),
            Self::Wide(rows) => rows.resize(length, [0; 5]),
        }
    }
}

/// The five figures in the order of a row.
#[must_use]
pub const fn values(figures: Figures) -> [u64; 5] {
    [figures.impressions, figures.clicks, figures.conversions_milli, figures.spend, figures.revenue]
}

/// The figures of a row.
#[must_use]
pub const fn figures([impressions, clicks, conversions_milli, spend, revenue]: [u64; 5]) -> Figures {
    Figures { impressions, clicks, conversions_milli, spend, revenue }
}

fn narrowed(wide: [u64; 5]) -> Option<[u32; 5]> {
    let mut narrow = [0; 5];
    for (place, value) in narrow.iter_mut().zip(wide) {
        *place = u32::try_from(value).ok()?;
    }
    Some(narrow)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn day_figures() -> impl Strategy<Value = Figures> {
        let value = prop_oneof![8 => 0..50_u64, 3 => any::<u32>().prop_map(u64::from), 1 => any::<u64>()];
        prop::array::uniform5(value).prop_map(figures)
    }

    fn days() -> impl Strategy<Value = Vec<(Day, Figures)>> {
        prop::collection::vec(((-200..400_i32).prop_map(Day), day_figures()), 0..60)
    }

    proptest! {
        #[test]
        fn it_is_a_map_of_days(sets in days(), first in -250..450_i32, length in -5..400_i32) {
            let (mut series, mut model) = (Series::default(), BTreeMap::new());
            for (day, figures) in sets {
                let expected = match model.insert(day, figures) {
                    None => Set::Inserted,
                    Some(before) if before == figures => Set::Unchanged,
                    Some(before) => Set::Updated(before),
                };
                prop_assert_eq!(series.set(day, figures), expected);
            }
            prop_assert_eq!(series.all().collect::<Vec<_>>(), model.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(series.first(), model.keys().next().copied());
            prop_assert_eq!(series.last(), model.keys().next_back().copied());
            prop_assert_eq!(usize::try_from(series.len()).unwrap(), model.len());
            let range = Days { first: Day(first), last: Day(first + length) };
            let inside: Vec<_> = model.iter().filter(|(day, _)| range.contains(**day)).collect();
            prop_assert_eq!(series.days(range).collect::<Vec<_>>(), inside.iter().map(|(day, figures)| (**day, **figures)).collect::<Vec<_>>());
            prop_assert_eq!(series.sum(range), inside.iter().map(|(_, figures)| **figures).sum());
            for day in range.each() {
                prop_assert_eq!(series.get(day), model.get(&day).copied());
            }
        }

        #[test]
        fn the_order_of_days_does_not_matter(sets in days()) {
            let unique: BTreeMap<Day, Figures> = sets.into_iter().collect();
            let forward: Series = unique.clone().into_iter().collect();
            let backward: Series = unique.into_iter().rev().collect();
            prop_assert_eq!(forward.all().collect::<Vec<_>>(), backward.all().collect::<Vec<_>>());
        }
    }

    #[test]
    fn absurd_spans_are_refused_and_change_nothing() {
        let one = figures([1; 5]);
        let mut series = Series::default();
        assert_eq!((series.first(), series.last(), series.is_empty()), (None, None, true));
        assert_eq!(series.set(Day(20_000), one), Set::Inserted);
        let far = i32::try_from(MAX_DAYS).unwrap();
        for day in [i32::MIN, i32::MAX, 20_000 + far, 20_000 - far] {
            assert_eq!(series.set(Day(day), one), Set::TooFar, "{day}");
        }
        assert_eq!((series.first(), series.len()), (Some(Day(20_000)), 1));
        assert_eq!(series.set(Day(20_000 + far - 1), one), Set::Inserted);
        assert_eq!(series.set(Day(19_999), one), Set::TooFar);
        assert_eq!(series.sum(Days { first: Day(i32::MIN), last: Day(i32::MAX) }), figures([2; 5]));
    }

    #[test]
    fn the_last_days_of_all_are_days() {
        let mut series = Series::default();
        assert_eq!(series.set(Day(i32::MAX), figures([1; 5])), Set::Inserted);
        assert_eq!((series.first(), series.last()), (Some(Day(i32::MAX)), Some(Day(i32::MAX))));
        assert_eq!(series.all().count(), 1);
    }
}
