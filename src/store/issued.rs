//! What was signed here, as `issued.jsonl` tells.

use std::fs;

use super::transaction::LOG;
use super::{IssuedRecord, Store};

impl Store {
    /// Everything that was signed here, in order. It only helps to recognise what is met: a line that cannot be read
    /// is left out, and without the file there is nothing.
    pub fn issued(&self) -> Vec<IssuedRecord> {
        let text = fs::read_to_string(self.path(LOG)).unwrap_or_default();
        let read = |line: &str| serde_json::from_str(line).ok();
        text.lines().filter_map(read).collect()
    }
}
