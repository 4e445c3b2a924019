//! Days as tables write them. `2/1/2024` is January or February: only other rows of the file can tell.

use jiff::civil::Date;

use crate::ads::day::Day;

/// Which number of `1/2/2024` is the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// The first, as in the United States.
    MonthFirst,
    /// The second, as nearly everywhere else.
    DayFirst,
}

/// What the text of a day tells about the file's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Nothing: it is clear by itself, or no day.
    None,
    /// It can be read in one way only.
    Only(DateOrder),
    /// It can be read in both, with different days.
    Either,
}

/// A day as it is written.
enum Written {
    Clear(Option<Day>),
    /// Two numbers and the year.
    Ordered(i8, i8, i16),
}

fn day(year: i16, month: i8, day: i8) -> Option<Day> {
    (year >= 1970).then(|| Date::new(year, month, day).ok()).flatten().map(Day::of)
}

fn number<T: std::str::FromStr>(text: &str, most: usize) -> Option<T> {
    ((1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn year(text: &str) -> Option<i16> {
    number(text, 4).filter(|_| text.len() == 4)
}

fn take(text: &str) -> Written {
    let text = text.trim();
    if let Some(day) = Day::parse(text) {
        return Written::Clear(Some(day));
    }
    for separator in ['/', '.', '-'] {
        let mut parts = text.split(separator);
        let (Some(one), Some(two), Some(three), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if let (Some(year), Some(month), Some(of_month)) = (year(one), number(two, 2), number(three, 2)) {
            return Written::Clear(day(year, month, of_month));
        }
        let (Some(one), Some(two), Some(year)) = (number(one, 2), number(two, 2), year(three)) else { continue };
        // With points between the numbers the day comes first, wherever that is written.
        return if separator == '.' { Written::Clear(day(year, two, one)) } else { Written::Ordered(one, two, year) };
    }
    Written::Clear(in_words(text))
}

/// `Jun 1, 2024`, `1 June 2024`, `Sat, Jun 1, 2024`.
fn in_words(text: &str) -> Option<Day> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let words = text.split([' ', ',']).filter(|word| !word.is_empty()).take(5);
    let (mut month, mut of_month, mut of_year) = (None, None, None);
    for word in words {
        let lower = word.to_ascii_lowercase();
        let named = |name: &str| name == lower || ((3..=4).contains(&lower.len()) && name.starts_with(&lower));
        if let Some(found) = MONTHS.iter().position(|name| named(name)) {
            month = month.or(i8::try_from(found + 1).ok());
        } else if let Some(found) = year(word) {
            of_year = of_year.or(Some(found));
        } else if let Some(found) = number(word, 2) {
            of_month = of_month.or(Some(found));
        } else if !["mon", "tue", "wed", "thu", "fri", "sat", "sun"].contains(&lower.as_str()) {
            return None;
        }
    }
    day(of_year?, month?, of_month?)
}

/// What a text tells about the order of the file's dates.
#[must_use]
pub fn hint(text: &str) -> Hint {
    match take(text) {
        Written::Ordered(one, two, year) if one != two => match (day(year, one, two), day(year, two, one)) {
            (Some(_), Some(_)) => Hint::Either,
            (Some(_), None) => Hint::Only(DateOrder::MonthFirst),
            (None, Some(_)) => Hint::Only(DateOrder::DayFirst),
            (None, None) => Hint::None,
        },
        Written::Ordered(..) | Written::Clear(_) => Hint::None,
    }
}

/// The day of a text, numbers read in this order.
#[must_use]
pub fn read(text: &str, order: DateOrder) -> Option<Day> {
    match (take(text), order) {
        (Written::Clear(day), _) => day,
        (Written::Ordered(one, two, year), DateOrder::MonthFirst) => day(year, one, two),
        (Written::Ordered(one, two, year), DateOrder::DayFirst) => day(year, two, one),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_in_every_spelling() {
        let day = Day::parse("2024-06-01");
        for text in [
            "2024-06-01",
            "2024/06/01",
            "2024/6/1",
            "01.06.2024",
            "Jun 1, 2024",
            "June 1, 2024",
            "1 Jun 2024",
            "Sat, Jun 1, 2024",
            " 2024-06-01 ",
        ] {
            assert_eq!((read(text, DateOrder::MonthFirst), hint(text)), (day, Hint::None), "{text}");
        }
        assert_eq!((read("6/1/2024", DateOrder::MonthFirst), read("1/6/2024", DateOrder::DayFirst)), (day, day));
        assert_eq!(hint("6/1/2024"), Hint::Either);
        assert_eq!(
            (hint("6/13/2024"), hint("13-6-2024")),
            (Hint::Only(DateOrder::MonthFirst), Hint::Only(DateOrder::DayFirst))
        );
        assert_eq!((hint("6/6/2024"), hint("13/13/2024")), (Hint::None, Hint::None));
        for wrong in [
            "",
            "2024-02-30",
            "1/2/24",
            "June 2024",
            "1969-12-31",
            "2024-06-01T00:00",
            "+1/2/2024",
            "Juniper 1, 2024",
            "45444",
        ] {
            assert_eq!(read(wrong, DateOrder::MonthFirst), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_day_comes_back(number in 0..40_000_i32) {
            let date = Day(number).date();
            let (year, month, day) = (date.year(), date.month(), date.day());
            prop_assert_eq!(read(&format!("{month}/{day}/{year}"), DateOrder::MonthFirst), Some(Day(number)));
            prop_assert_eq!(read(&format!("{day:02}/{month:02}/{year}"), DateOrder::DayFirst), Some(Day(number)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            let both = [DateOrder::MonthFirst, DateOrder::DayFirst].map(|order| read(&text, order).is_some());
            prop_assert_eq!(hint(&text) == Hint::Either, both == [true; 2] && read(&text, DateOrder::MonthFirst) != read(&text, DateOrder::DayFirst));
        }
    }
}
