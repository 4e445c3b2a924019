//! Codes that hold for a whole question, given to values that every data set has under codes of its own.

use std::collections::HashMap;

use crate::visit::data::DataFault;
use crate::visit::dictionary::{Full, Interner};

/// Values, currencies and sets of targets by code.
#[derive(Debug)]
pub(super) struct Names {
    values: Interner,
    currencies: Interner,
    target_sets: Vec<Vec<u32>>,
    target_codes: HashMap<Vec<u32>, u32>,
    most: usize,
}

impl Names {
    /// For at most `most` values.
    pub(super) fn new(most: usize) -> Self {
        Self {
            values: Interner::default(),
            currencies: Interner::default(),
            target_sets: vec![Vec::new()],
            target_codes: HashMap::from([(Vec::new(), 0)]),
            most,
        }
    }

    /// The code of a value. The empty one has 0 and is there from the start.
    ///
    /// # Errors
    /// `TooManyGroups`.
    pub(super) fn value(&mut self, text: &str) -> Result<u32, DataFault> {
        let most = self.most;
        let code = self.values.intern(text).map_err(|Full| DataFault::TooManyGroups(most))?;
        if self.values.dictionary().len() > most.saturating_add(1) {
            Err(DataFault::TooManyGroups(most))
        } else {
            Ok(code)
        }
    }

    /// The code of a currency.
    ///
    /// # Errors
    /// `TooManyGroups`.
    pub(super) fn currency(&mut self, text: &str) -> Result<u32, DataFault> {
        let most = self.most;
        let code = self.currencies.intern(text).map_err(|Full| DataFault::TooManyGroups(most))?;
        if self.currencies.dictionary().len() > most.saturating_add(1) {
            Err(DataFault::TooManyGroups(most))
        } else {
            Ok(code)
        }
    }

    /// The code of a set of target numbers in ascending order. The empty one has 0.
    ///
    /// # Errors
    /// `TooManyGroups`.
    pub(super) fn target_set(&mut self, numbers: Vec<u32>) -> Result<u32, DataFault> {
        if let Some(code) = self.target_codes.get(&numbers) {
            return Ok(*code);
        }
        if self.target_sets.len() > self.most {
            return Err(DataFault::TooManyGroups(self.most));
        }
        let code = u32::try_from(self.target_sets.len()).or(Err(DataFault::TooManyGroups(self.most)))?;
        self.target_sets.push(numbers.clone());
        self.target_codes.insert(numbers, code);
        Ok(code)
    }

    /// The numbers of a set of targets.
    pub(super) fn targets(&self, code: u32) -> &[u32] {
        self.target_sets.get(code as usize).map_or(&[], Vec::as_slice)
    }

    /// Number of values.
    pub(super) const fn values(&self) -> usize {
        self.values.dictionary().len()
    }

    /// The value of a code.
    pub(super) fn value_text(&self, code: u32) -> &str {
        self.values.dictionary().get(code)
    }

    /// The currency of a code.
    pub(super) fn currency_text(&self, code: u32) -> &str {
        self.currencies.dictionary().get(code)
    }
}
