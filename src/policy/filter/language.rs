//! The two sets of properties that rules speak of: custom security attributes, and the properties of a device. Never
//! here: the grammar, which is one.

use std::fmt;

/// What a rule's properties belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `CustomSecurityAttribute.<AttributeSet>_<AttributeName>`
    Attributes,
    /// `device.<property>`
    Device,
}

/// What the values of a property are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text, or a collection of texts.
    Text,
    /// True or false.
    Flag,
}

/// Graph's properties of a device that rules may ask for, by their names in rules.
const DEVICE: [(&str, Kind); 14] = [
    ("deviceId", Kind::Text),
    ("displayName", Kind::Text),
    ("deviceOwnership", Kind::Text),
    ("enrollmentProfileName", Kind::Text),
    ("isCompliant", Kind::Flag),
    ("manufacturer", Kind::Text),
    ("mdmAppId", Kind::Text),
    ("model", Kind::Text),
    ("operatingSystem", Kind::Text),
    ("operatingSystemVersion", Kind::Text),
    ("physicalIds", Kind::Text),
    ("profileType", Kind::Text),
    ("systemLabels", Kind::Text),
    ("trustType", Kind::Text),
];

/// `extensionAttribute1` … `extensionAttribute15`
const EXTENSION_ATTRIBUTE: &str = "extensionAttribute";
const EXTENSION_ATTRIBUTES: u8 = 15;

impl Language {
    /// The name under which an object has the property that a rule names, if it is one.
    pub(super) fn name_of(self, word: &str) -> Option<String> {
        match self {
            Self::Attributes => attribute(word).map(str::to_owned),
            Self::Device => {
                let name = word
                    .strip_prefix(['D', 'd'])
                    .and_then(|rest| rest.strip_prefix("evice."))?;
                device_property(name)
            }
        }
    }

    /// The kind of a property by that name.
    pub(super) fn kind_of(self, name: &str) -> Kind {
        let mut properties = DEVICE.iter();
        match self {
            Self::Attributes => Kind::Text,
            Self::Device => properties
                .find(|(known, _)| *known == name)
                .map_or(Kind::Text, |(_, kind)| *kind),
        }
    }

    /// What a message expects where a property belongs.
    pub(super) const fn expected(self) -> &'static str {
        match self {
            Self::Attributes => {
                "a property `CustomSecurityAttribute.<AttributeSet>_<AttributeName>`, `-not` or `(`"
            }
            Self::Device => {
                "a property of a device (`device.isCompliant`, `device.trustType`, …), `-not` or `(`"
            }
        }
    }
}

/// What stands before the name of a property.
impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attributes => "CustomSecurityAttribute.",
            Self::Device => "device.",
        })
    }
}

/// `<AttributeSet>_<AttributeName>` behind its prefix.
fn attribute(word: &str) -> Option<&str> {
    let name = word
        .strip_prefix(['C', 'c'])?
        .strip_prefix("ustomSecurityAttribute.")?;
    let (set, attribute) = name.split_once('_')?;
    (!set.is_empty() && !attribute.is_empty() && !name.contains('.')).then_some(name)
}

/// The property as Graph spells it, from any case.
fn device_property(name: &str) -> Option<String> {
    let mut properties = DEVICE.iter();
    if let Some((known, _)) = properties.find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Some((*known).to_owned());
    }
    let (word, number) = name.split_at_checked(EXTENSION_ATTRIBUTE.len())?;
    let mut numbers = 1..=EXTENSION_ATTRIBUTES;
    (word.eq_ignore_ascii_case(EXTENSION_ATTRIBUTE) && numbers.any(|one| one.to_string() == number))
        .then(|| format!("{EXTENSION_ATTRIBUTE}{number}"))
}
