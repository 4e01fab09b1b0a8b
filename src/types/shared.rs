//! Texts that occur many times, kept once: a directory of a million agents has few blueprints, attributes and sponsors.
//!
//! Never here: a text that outlives those who share it.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Gives equal texts one memory while they are read.
#[derive(Debug, Clone, Default)]
pub struct SharedTexts(BTreeSet<Arc<str>>);

impl SharedTexts {
    /// Puts the first text of this content that was seen in place of this one.
    pub fn share(&mut self, text: &mut Arc<str>) {
        if let Some(known) = self.0.get(&**text) {
            *text = Arc::clone(known);
        } else {
            self.0.insert(Arc::clone(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_one_memory() {
        let mut texts = SharedTexts::default();
        let [mut one, mut same, mut other]: [Arc<str>; 3] = ["a".into(), "a".into(), "b".into()];
        for text in [&mut one, &mut same, &mut other] {
            texts.share(text);
        }
        assert!(Arc::ptr_eq(&one, &same));
        assert_eq!((&*one, &*other), ("a", "b"));
    }
}
