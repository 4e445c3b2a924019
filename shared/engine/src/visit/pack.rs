//! Visits become rows: fields that belong together are joined and replaced by codes of an open log's dictionaries.

use std::sync::Arc;

use super::column::{DICTS, Dict, FIELD_SEPARATOR, Row};
use super::data::DataFault;
use super::dictionary::{Dictionaries, Dictionary, Full, Interner};
use super::frame::Frame;
use super::record::Visit;

/// What stands for a text that a dictionary has no room for.
pub const OTHER: &str = "(other)";

const SEPARATOR: &str = "\u{1f}";

/// The dictionaries of an open log.
#[derive(Debug, Clone, Default)]
pub struct Packer {
    interners: [Interner; DICTS],
    /// The codes of the row before: sites, events and currencies are mostly the same again.
    last: [u32; DICTS],
    /// Where fields are joined.
    joined: String,
}

/// How many texts each dictionary had at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks([u32; DICTS]);

impl Default for Marks {
    /// Those of a new log, whose dictionaries hold the empty text alone.
    fn default() -> Self {
        Self([1; DICTS])
    }
}

/// Texts that dictionaries got since some marks; shares them with the packer.
#[derive(Debug, Clone, Default)]
pub struct Fresh(Vec<(Dict, u32, Dictionary)>);

impl Fresh {
    /// Whether there is no new text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By dictionary: the first new code and how many there are from it on.
    pub(crate) fn dictionaries(&self) -> impl Iterator<Item = (Dict, u32, &Dictionary)> {
        self.0.iter().map(|(dict, first, dictionary)| (*dict, *first, dictionary))
    }
}

impl Packer {
    /// The row of a visit. Its texts are added where they are new.
    ///
    /// # Errors
    /// `Full` when a dictionary has no code left; texts that were added before stay.
    pub fn row(&mut self, visit: &Visit<'_>) -> Result<Row, Full> {
        self.row_if(visit, |_, _| true)
    }

    /// The row of a visit, where `admit` is asked about every text that is new to its dictionary. A text that is not
    /// admitted becomes `(other)` in all its fields that are not empty.
    ///
    /// # Errors
    /// `Full` when a dictionary has no code left; texts that were added before stay.
    pub fn row_if(&mut self, visit: &Visit<'_>, mut admit: impl FnMut(Dict, &str) -> bool) -> Result<Row, Full> {
        let (page, agent) = (visit.page.fields(), visit.agent.fields());
        let (acquisition, place) = (visit.acquisition.fields(), visit.place.fields());
        let fields: [(Dict, &[&str]); DICTS] = [
            (Dict::Site, &[visit.site]),
            (Dict::Page, &page),
            (Dict::Agent, &agent),
            (Dict::Acquisition, &acquisition),
            (Dict::Place, &place),
            (Dict::Event, &[visit.event]),
            (Dict::Props, &[visit.props]),
            (Dict::User, &[visit.user]),
            (Dict::Click, &[visit.click]),
            (Dict::Campaign, &[visit.campaign]),
            (Dict::Currency, &[visit.currency]),
        ];
        let mut codes = [0; DICTS];
        let Self { interners, last, joined } = self;
        let columns = codes.iter_mut().zip(last).zip(interners).zip(fields);
        for (((code, last), interner), (dict, fields)) in columns {
            if let [field] = fields
                && (field.is_empty() || interner.dictionary().get(*last) == *field)
            {
                *code = if field.is_empty() { 0 } else { *last };
                continue;
            }
            join(joined, fields);
            if let Some(known) = interner.find(joined) {
                (*code, *last) = (known, known);
                continue;
            }
            join_clean(joined, fields);
            let room = interner.find(joined).is_some() || admit(dict, joined);
            *code = if room { interner.intern(joined)? } else { interner.intern(&folded(dict, joined))? };
            *last = *code;
        }
        Ok(Row {
            time_ms: visit.time_ms,
            visitor: visit.visitor,
            revenue_micros: visit.revenue_micros,
            event_id: visit.event_id,
            codes,
            traffic: visit.traffic,
        })
    }

    /// The code of what stands for the text of `code` where that has no room: `(other)` in its fields that are not empty.
    ///
    /// # Errors
    /// `Full` when the dictionary has no code left.
    pub fn fold(&mut self, dict: Dict, code: u32) -> Result<u32, Full> {
        let text = folded(dict, self.text(dict, code));
        self.interners.get_mut(dict.index()).map_or(Ok(0), |interner| interner.intern(&text))
    }

    /// The text of a code.
    #[must_use]
    pub fn text(&self, dict: Dict, code: u32) -> &str {
        self.interners.get(dict.index()).map_or("", |interner| interner.dictionary().get(code))
    }

    /// How many texts the dictionaries have now.
    #[must_use]
    pub fn marks(&self) -> Marks {
        Marks(std::array::from_fn(|at| self.interners.get(at).map_or(1, |interner| length(interner.dictionary()))))
    }

    /// The texts that were added since `since`. As long as these are the marks of the last frame that was *written*, a
    /// frame whose write failed needs no undoing: its texts are in the next one.
    #[must_use]
    pub fn fresh(&self, since: &Marks) -> Fresh {
        let all = Dict::ALL.into_iter().zip(&since.0).zip(&self.interners);
        let grown = all.filter(|((_, first), interner)| length(interner.dictionary()) > **first);
        Fresh(grown.map(|((dict, first), interner)| (dict, *first, interner.dictionary().clone())).collect())
    }

    /// The dictionaries as they are now. They share their texts with the packer: a snapshot costs one counter for every
    /// 256 texts, and the next new text of a dictionary copies at most 255 others.
    #[must_use]
    pub fn dictionaries(&self) -> Dictionaries {
        self.interners.each_ref().map(|interner| Arc::new(interner.dictionary().clone()))
    }

    /// Adds the texts of a frame that was read, as the writer of the frame had added them.
    ///
    /// # Errors
    /// `Damaged` when the frame does not follow those absorbed before it, or a row has an unknown code.
    pub fn absorb(&mut self, frame: &Frame<'_>) -> Result<(), DataFault> {
        for fresh in &frame.texts {
            let Some(interner) = self.interners.get_mut(fresh.dict.index()) else { continue };
            for (text, code) in fresh.texts.iter().zip(fresh.first..) {
                if interner.intern(text) != Ok(code) {
                    return Err(DataFault::Damaged(format!("`{:?}` {code} is out of order in a log", fresh.dict)));
                }
            }
        }
        let marks = self.marks();
        let known = |row: &Row| row.codes.iter().zip(&marks.0).all(|(code, length)| code < length);
        if frame.rows.iter().all(known) {
            return Ok(());
        }
        Err(DataFault::Damaged("a row of a log has a code that no dictionary knows".into()))
    }

    /// Bytes that the dictionaries take in memory. Walks their chunks.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.interners.iter().map(Interner::bytes).sum()
    }
}

/// Joins fields without the empty ones at the end, so that the same values always give the same text.
fn join(joined: &mut String, fields: &[&str]) {
    joined.clear();
    let mut separators = 0;
    for (place, field) in fields.iter().enumerate() {
        if !field.is_empty() {
            (separators..place).for_each(|_| joined.push(FIELD_SEPARATOR));
            joined.push_str(field);
            separators = place;
        }
    }
}

/// Joins again where a field holds a separator, which would shift the fields after it. Visits are clean, so that only
/// texts that are new are looked at.
fn join_clean(joined: &mut String, fields: &[&str]) {
    if fields.iter().any(|field| field.contains(FIELD_SEPARATOR)) {
        let clean: Vec<String> = fields.iter().map(|field| field.replace(FIELD_SEPARATOR, " ")).collect();
        join(joined, &clean.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// Whether a text is one of the few that folding makes, rather than one of a sender who writes `(other)` somewhere.
#[must_use]
pub fn is_folded(dict: Dict, text: &str) -> bool {
    text.contains(OTHER) && folded(dict, text) == text
}

/// A text whose fields that are not empty say `(other)`. What comes from short lists of ours stays: the channel, the kind of
/// a click id, the device, and the kind of a bot. Properties stay an object.
fn folded(dict: Dict, text: &str) -> String {
    if dict == Dict::Props {
        return format!("{{\"{OTHER}\":\"{OTHER}\"}}");
    }
    let fold = |(place, field): (usize, &str)| match (dict, place) {
        _ if field.is_empty() => String::new(),
        (Dict::Acquisition, 2 | 8) | (Dict::Agent, 4) => field.to_owned(),
        (Dict::Agent, 5) => {
            field.split_once(": ").map_or_else(|| field.to_owned(), |(kind, _)| format!("{kind}: {OTHER}"))
        }
        _ => OTHER.to_owned(),
    };
    text.split(FIELD_SEPARATOR).enumerate().map(fold).collect::<Vec<_>>().join(SEPARATOR)
}

fn length(dictionary: &Dictionary) -> u32 {
    u32::try_from(dictionary.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::visit::column::field;
    use crate::visit::record::{Acquisition, Agent, Page};

    fn visit<'a>(path: &'a str, source: &'a str) -> Visit<'a> {
        Visit {
            time_ms: 5,
            site: "a.example",
            page: Page { host: "a.example", path },
            acquisition: Acquisition { source, channel: "Referral", ..Acquisition::default() },
            event: "pageview",
            ..Visit::default()
        }
    }

    #[test]
    fn a_folded_agent_keeps_its_device_and_why_it_is_a_bot() {
        let agent = Agent {
            browser: "Made up",
            browser_version: "9",
            device: "Mobile",
            bot: "crawler: xbot",
            ..Agent::default()
        };
        let mut packer = Packer::default();
        let row = packer.row_if(&Visit { agent, ..visit("/", "") }, |dict, _| dict != Dict::Agent).unwrap();
        let stored = text(&packer, &row, Dict::Agent);
        let fields: Vec<&str> = (0..6).map(|place| field(&stored, place)).collect();
        assert_eq!(fields, [OTHER, OTHER, "", "", "Mobile", "crawler: (other)"]);
    }

    fn text(packer: &Packer, row: &Row, dict: Dict) -> String {
        packer.dictionaries()[dict.index()].get(row.codes[dict.index()]).to_owned()
    }

    #[test]
    fn equal_values_have_equal_codes_and_nothing_is_code_0() {
        let mut packer = Packer::default();
        let first = packer.row(&visit("/a", "x.example")).unwrap();
        let second = packer.row(&visit("/b", "x.example")).unwrap();
        assert_eq!(first.codes[Dict::Acquisition.index()], second.codes[Dict::Acquisition.index()]);
        assert_ne!(first.codes[Dict::Page.index()], second.codes[Dict::Page.index()]);
        assert_eq!(first.codes[Dict::Place.index()], 0);
        assert_eq!(text(&packer, &second, Dict::Page), "a.example\u{1f}/b");
        assert_eq!(text(&packer, &second, Dict::Acquisition), "\u{1f}x.example\u{1f}Referral");
    }

    #[test]
    fn a_separator_within_a_value_shifts_no_field() {
        let mut packer = Packer::default();
        let row = packer.row(&visit("/a", "x\u{1f}y")).unwrap();
        let entry = text(&packer, &row, Dict::Acquisition);
        assert_eq!((field(&entry, 1), field(&entry, 2)), ("x y", "Referral"));
    }

    #[test]
    fn texts_without_room_become_other() {
        let mut packer = Packer::default();
        packer.row(&visit("/known", "")).unwrap();
        let mut asked = Vec::new();
        let refuse = |dict, text: &str| {
            asked.push((dict, text.to_owned()));
            false
        };
        let row = packer.row_if(&visit("/new", "x.example"), refuse).unwrap();
        assert_eq!(text(&packer, &row, Dict::Page), "(other)\u{1f}(other)");
        assert_eq!(text(&packer, &row, Dict::Acquisition), "\u{1f}(other)\u{1f}Referral");
        assert_eq!(text(&packer, &row, Dict::Event), "pageview", "known texts are not asked about");
        assert_eq!(asked.iter().map(|(dict, _)| *dict).collect::<Vec<_>>(), [Dict::Page, Dict::Acquisition]);
        assert_eq!(folded(Dict::Props, "{\"a\":1}"), "{\"(other)\":\"(other)\"}");
    }

    #[test]
    fn only_what_folding_makes_is_folded() {
        let mut packer = Packer::default();
        let agent = Agent { browser: "Made up", device: "Mobile", bot: "crawler: xbot", ..Agent::default() };
        let row = packer.row(&Visit { agent, props: "{\"a\":\"b\"}", ..visit("/new", "x.example") }).unwrap();
        for dict in [Dict::Page, Dict::Agent, Dict::Acquisition, Dict::Event, Dict::Props] {
            let code = row.codes[dict.index()];
            let folded = packer.fold(dict, code).unwrap();
            assert!(
                !is_folded(dict, packer.text(dict, code)) && is_folded(dict, packer.text(dict, folded)),
                "{dict:?}"
            );
            assert_eq!(packer.fold(dict, folded), Ok(folded), "{dict:?}");
        }
        for (dict, text) in [
            (Dict::Page, "a.example\u{1f}/(other)/17"),
            (Dict::Page, "(other)\u{1f}/17"),
            (Dict::Event, "(other)17"),
            (Dict::Props, "{\"(other)\":\"17\"}"),
            (Dict::Agent, "(other)\u{1f}17"),
        ] {
            assert!(!is_folded(dict, text), "{text}");
        }
    }

    #[test]
    fn fresh_texts_are_those_since_the_marks() {
        let mut packer = Packer::default();
        packer.row(&visit("/a", "")).unwrap();
        let marks = packer.marks();
        assert!(packer.fresh(&marks).is_empty());
        packer.row(&visit("/b", "")).unwrap();
        let fresh = packer.fresh(&marks);
        let found: Vec<_> = fresh.dictionaries().map(|(dict, first, all)| (dict, first, all.get(first))).collect();
        assert_eq!(found, [(Dict::Page, 2, "a.example\u{1f}/b")]);
    }
}
