//! Programs that say what they are in their user agent.
//!
//! Four steps, the first that fits gives the reason: the table `data/bots.tsv`, a word that ends in `bot`, `crawler`,
//! `spider` and the like, uap-core's patterns of crawlers, and a user agent that is cut short.

use std::borrow::Cow;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{MOST_FIELD_BYTES, cut};

/// Kind, part of the user agent, and name, one program a line, the more telling ones first.
const TABLE: &str = include_str!("../../../../data/bots.tsv");

/// Ends of words that only programs have in their names.
const ENDINGS: [&str; 13] = [
    "bot",
    "bots",
    "robot",
    "crawler",
    "spider",
    "crawl",
    "scraper",
    "fetcher",
    "archiver",
    "indexer",
    "scanner",
    "checker",
    "validator",
];

/// Words with such an end that are no programs: a maker of phones.
const NO_BOTS: [&str; 1] = ["cubot"];

/// User agents of phones and tablets, whose makers and models uap-core's pattern of words would take for crawlers: its
/// own patterns of models come first, which are not taken here.
const HANDSETS: [&str; 7] = ["Android", "iPhone", "iPad", "iPod", "Windows Phone", "Silk/", "CrOS"];

/// One line of the table.
struct Line {
    kind: &'static str,
    part: &'static str,
    at_begin: bool,
    at_end: bool,
    name: &'static str,
}

/// The table, by the first three bytes of the parts.
pub(super) struct BotTable {
    lines: Vec<Line>,
    begins: HashMap<[u8; 3], Vec<usize>, FixedState>,
}

impl BotTable {
    pub(super) fn new() -> Self {
        let mut table = Self { lines: Vec::new(), begins: HashMap::default() };
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let (Some(kind), Some(part), Some(name)) = (fields.next(), fields.next(), fields.next()) else { continue };
            let at_begin = part.starts_with('^');
            let at_end = part.ends_with('$');
            let part = part.trim_start_matches('^').trim_end_matches('$');
            let Some(first) = part.as_bytes().first_chunk() else { continue };
            table.begins.entry(*first).or_default().push(table.lines.len());
            table.lines.push(Line { kind, part, at_begin, at_end, name });
        }
        table
    }

    /// Why `user_agent` is a program, or nothing. `is_spider` asks uap-core; `family` is the browser it found.
    pub(super) fn reason(&self, user_agent: &str, is_spider: impl FnOnce() -> bool, family: &str) -> String {
        let lower = user_agent.to_ascii_lowercase();
        if let Some(line) = self.line(&lower) {
            return format!("{}: {}", line.kind, line.name);
        }
        if let Some(word) = word_of_program(user_agent) {
            return crawler(&word);
        }
        if !HANDSETS.iter().any(|word| user_agent.contains(word)) && is_spider() {
            return crawler(family);
        }
        if matches!(&*lower, "mozilla" | "mozilla/4.0" | "mozilla/5.0" | "-" | "user-agent") {
            return "incomplete user agent".to_owned();
        }
        String::new()
    }

    /// The first line of the table that fits.
    fn line(&self, lower: &str) -> Option<&Line> {
        let bytes = lower.as_bytes();
        let found = bytes.windows(3).enumerate().filter_map(|(at, begin)| {
            let lines = self.begins.get(<&[u8; 3]>::try_from(begin).ok()?)?;
            lines.iter().copied().find(|index| self.lines.get(*index).is_some_and(|line| line.fits(bytes, at)))
        });
        found.min().and_then(|index| self.lines.get(index))
    }
}

impl Line {
    fn fits(&self, lower: &[u8], at: usize) -> bool {
        let rest = lower.get(at..).unwrap_or_default();
        rest.starts_with(self.part.as_bytes())
            && (!self.at_begin || at == 0)
            && (!self.at_end || rest.len() == self.part.len())
    }
}

fn crawler(name: &str) -> String {
    if name.is_empty() { "crawler".to_owned() } else { format!("crawler: {name}") }
}

/// The first word of a program, empty when only an address speaks of one (`+https://example.com/bot.html`).
fn word_of_program(user_agent: &str) -> Option<Cow<'_, str>> {
    let mut anonymous = false;
    for part in user_agent.split([' ', ';', ',', '(', ')', '[', ']']) {
        let is_address = part.contains("://") || part.contains("www.") || part.contains('@');
        for word in part.split(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '-' | '_'))
        {
            let lower = word.to_ascii_lowercase();
            let bare = lower.trim_end_matches(|last: char| last.is_ascii_digit() || matches!(last, '-' | '_'));
            let Some(ending) = ENDINGS.iter().find(|ending| bare.ends_with(*ending)) else { continue };
            if NO_BOTS.contains(&bare) {
                continue;
            }
            if !is_address && bare != *ending {
                return Some(Cow::Borrowed(cut(word, MOST_FIELD_BYTES)));
            }
            anonymous = true;
        }
    }
    anonymous.then_some(Cow::Borrowed(""))
}
