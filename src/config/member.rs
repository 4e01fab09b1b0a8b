//! The way from the top of the configuration file to one of its members, as faults name it.

use std::fmt;

/// One step of the way to a member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Segment {
    /// The value of this key.
    Key(String),
    /// The item at this index, from 0.
    Item(usize),
}

/// The way from the top of the file to a member: `resources[1].upstream.url`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct MemberPath(Vec<Segment>);

impl MemberPath {
    /// The file itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// A key below.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        self.with(Segment::Key(name.to_owned()))
    }

    /// An item below, from 0.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        self.with(Segment::Item(index))
    }

    /// Its steps.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The part of the file that is sound or at fault as one: a section, or one item of a section that is a list.
    #[must_use]
    pub fn part(&self) -> Self {
        let is_part = |(at, segment): &(usize, &Segment)| match segment {
            Segment::Key(_) => *at == 0,
            Segment::Item(_) => *at == 1,
        };
        let segments = self.0.iter().enumerate().take_while(is_part);
        Self(segments.map(|(_, segment)| segment.clone()).collect())
    }

    /// Takes what it leads to out of `json`: a key with its value; of an item only the value, so that the others keep their places.
    pub fn take_out_of(&self, json: &mut serde_json::Value) {
        let Some((last, above)) = self.0.split_last() else {
            *json = serde_json::Value::Null;
            return;
        };
        let parent = above.iter().try_fold(json, |json, segment| match segment {
            Segment::Key(name) => json.get_mut(name),
            Segment::Item(index) => json.get_mut(*index),
        });
        match (parent, last) {
            (Some(serde_json::Value::Object(members)), Segment::Key(name)) => {
                members.remove(name);
            }
            (Some(serde_json::Value::Array(items)), Segment::Item(index)) => {
                if let Some(item) = items.get_mut(*index) {
                    *item = serde_json::Value::Null;
                }
            }
            _ => {}
        }
    }

    /// The same less its last step; `None` for the file itself.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(name) if at == 0 => f.write_str(name)?,
                Segment::Key(name) => write!(f, ".{name}")?,
                Segment::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_section_or_an_item_of_one() {
        let section = MemberPath::root().key("resources");
        let member = section.item(2).key("hosts").item(0);
        assert_eq!(member.to_string(), "resources[2].hosts[0]");
        assert_eq!(member.part(), section.item(2));
        let member = MemberPath::root().key("tokens").key("max_size");
        assert_eq!(member.part().to_string(), "tokens");
        assert_eq!(MemberPath::root().part(), MemberPath::root());
        assert_eq!(section.parent(), Some(MemberPath::root()));
        assert_eq!(MemberPath::root().parent(), None);
    }

    #[test]
    fn an_item_that_is_taken_out_leaves_the_places_of_the_others() {
        let mut json = serde_json::json!({"a": [1, 2], "b": 3});
        let root = MemberPath::root();
        root.key("a").item(0).take_out_of(&mut json);
        root.key("b").take_out_of(&mut json);
        root.key("z").item(9).take_out_of(&mut json);
        assert_eq!(json, serde_json::json!({"a": [null, 2]}));
        root.take_out_of(&mut json);
        assert_eq!(json, serde_json::Value::Null);
    }
}
