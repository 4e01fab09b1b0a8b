//! What occurs many times, kept once: a directory of a million agents has few blueprints, sponsors and sets of attributes, and
//! the tokens of a thousand agents have few tenants, keys and roles.
//!
//! Never here: a part that outlives those who share it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::attributes::AttributeSet;

/// Gives equal parts one memory while they are read.
#[derive(Debug, Clone, Default)]
pub struct SharedParts {
    texts: BTreeSet<Arc<str>>,
    lists: BTreeSet<Arc<[Arc<str>]>>,
    attributes: BTreeSet<Arc<AttributeSet>>,
}

impl SharedParts {
    /// Puts the first text of this content that was seen in place of this one.
    pub fn share(&mut self, text: &mut Arc<str>) {
        keep_once(&mut self.texts, text);
    }

    /// Puts the first list of these texts that was seen in place of this one.
    pub fn share_list(&mut self, list: &mut Arc<[Arc<str>]>) {
        keep_once(&mut self.lists, list);
    }

    /// Puts the first set of attributes that was seen in place of one that is equal.
    pub(super) fn share_attributes(&mut self, set: &mut Arc<AttributeSet>) {
        if let Some(known) = self.attributes.get(&**set) {
            *set = Arc::clone(known);
        } else {
            Arc::make_mut(set).share(self);
            self.attributes.insert(Arc::clone(set));
        }
    }
}

/// Puts the first part of this content that was seen in place of this one.
fn keep_once<T: Ord + ?Sized>(seen: &mut BTreeSet<Arc<T>>, part: &mut Arc<T>) {
    if let Some(known) = seen.get(&**part) {
        *part = Arc::clone(known);
    } else {
        seen.insert(Arc::clone(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{AttributeValue, Attributes};

    #[test]
    fn equal_texts_share_one_memory() {
        let mut parts = SharedParts::default();
        let [mut one, mut same, mut other]: [Arc<str>; 3] = ["a".into(), "a".into(), "b".into()];
        for text in [&mut one, &mut same, &mut other] {
            parts.share(text);
        }
        assert!(Arc::ptr_eq(&one, &same));
        assert_eq!((&*one, &*other), ("a", "b"));
    }

    #[test]
    fn equal_lists_share_one_memory() {
        let mut parts = SharedParts::default();
        let of = |texts: &[&str]| texts.iter().copied().map(Arc::from).collect();
        let [mut one, mut same, mut other]: [Arc<[Arc<str>]>; 3] =
            [of(&["a", "b"]), of(&["a", "b"]), of(&["ab"])];
        for list in [&mut one, &mut same, &mut other] {
            parts.share_list(list);
        }
        assert!(Arc::ptr_eq(&one, &same));
        assert_eq!((&*one, &*other), (&*of(&["a", "b"]), &*of(&["ab"])));
    }

    #[test]
    fn equal_attributes_share_one_memory_and_others_their_texts() {
        let of = |value: &str, json: &str| {
            let pairs = [("Set_Name".into(), AttributeValue::One(value.into()))];
            Attributes::from_pairs(pairs).written_as(json.into())
        };
        let [mut one, mut same] = [(); 2].map(|()| of("hr", r#"{"Name":"HR"}"#));
        // What is decided on is equal, what is shown is not.
        let mut shown_otherwise = of("hr", r#"{"Name":"Hr"}"#);
        let mut parts = SharedParts::default();
        for attributes in [&mut one, &mut same, &mut shown_otherwise] {
            attributes.share(&mut parts);
        }
        let address = |attributes: &Attributes| {
            let (name, _) = attributes.iter().next().unwrap();
            (attributes.written().unwrap().as_ptr(), name.as_ptr())
        };
        assert_eq!(address(&one), address(&same));
        assert_eq!(shown_otherwise.written(), Some(r#"{"Name":"Hr"}"#));
        assert_ne!(address(&one).0, address(&shown_otherwise).0);
        assert_eq!(address(&one).1, address(&shown_otherwise).1);
        assert_eq!(parts.attributes.len(), 2);
    }
}
