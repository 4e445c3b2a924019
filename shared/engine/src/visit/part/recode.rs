//! Codes of one or several sources become codes of a part's own dictionaries, which hold only texts that occur.

use crate::visit::column::{DICTS, Dict, Row};
use crate::visit::dictionary::{Dictionaries, Dictionary, Full, Interner};

/// Which codes of a source occur.
#[derive(Debug)]
pub(super) struct Used([Vec<bool>; DICTS]);

/// New codes by old code, for every dictionary of a source.
#[derive(Debug)]
pub(super) struct Codes([Vec<u32>; DICTS]);

impl Used {
    pub(super) fn new(dictionaries: &Dictionaries) -> Self {
        Self(dictionaries.each_ref().map(|dictionary| vec![false; dictionary.len()]))
    }

    /// Marks the codes of a row; nothing when a dictionary does not know one of them.
    pub(super) fn mark(&mut self, row: &Row) -> Option<()> {
        for (used, code) in self.0.iter_mut().zip(row.codes) {
            *used.get_mut(usize::try_from(code).ok()?)? = true;
        }
        Some(())
    }
}

impl Codes {
    /// The new code of one that was marked.
    pub(super) fn get(&self, dict: Dict, code: u32) -> u32 {
        let codes = self.0.get(dict.index());
        codes.zip(usize::try_from(code).ok()).and_then(|(codes, at)| codes.get(at)).copied().unwrap_or_default()
    }
}

/// Dictionaries of the texts that occur, in the order of sources and old codes, and each source's way into them.
/// Sites are left out.
pub(super) fn recode(sources: &[(&Dictionaries, Used)]) -> Result<([Dictionary; DICTS], Vec<Codes>), Full> {
    let mut interners: [Interner; DICTS] = Default::default();
    let mut all = Vec::with_capacity(sources.len());
    for (dictionaries, used) in sources {
        let mut codes = Codes(used.0.each_ref().map(|used| vec![0; used.len()]));
        let columns = interners.iter_mut().zip(dictionaries.iter()).zip(used.0.iter().zip(&mut codes.0));
        for ((interner, dictionary), (used, codes)) in columns.skip(Dict::Site.index() + 1) {
            for ((text, used), code) in dictionary.iter().zip(used).zip(codes) {
                if *used {
                    *code = interner.intern(text)?;
                }
            }
        }
        all.push(codes);
    }
    Ok((interners.map(Interner::into_dictionary), all))
}
