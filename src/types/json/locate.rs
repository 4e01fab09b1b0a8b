//! Where a member stands in a JSON text that was read before, for messages to an operator.
//!
//! The text is known to be JSON, so this only skips; if it is not, the answer is `None`, never a panic.

use std::ops::Range;

use super::Step;

/// Line and column (in characters), from 1, of the member's name or the item's value that `steps` lead to.
#[must_use]
pub fn locate(text: &str, steps: &[Step<'_>]) -> Option<(u32, u32)> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.follow(steps)?;
    let start = Place {
        offset: 0,
        line: 1,
        column: 1,
    };
    let place = start.moved_to(text, cursor.at)?;
    Some((place.line, place.column))
}

/// The member `name` of the object that the text is, if it is a text.
#[must_use]
pub fn text_of(text: &str, name: &str) -> Option<String> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.follow(&[Step::Member(name)])?;
    cursor.skip_name()?;
    serde_json::from_str(cursor.skip_string()?).ok()
}

/// Where an item of an array stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Byte offset in the text.
    pub offset: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// The place of a later offset.
    fn moved_to(self, text: &str, offset: usize) -> Option<Self> {
        let between = text.get(self.offset..offset)?;
        let lines = u32::try_from(between.matches('\n').count()).ok()?;
        let columns = u32::try_from(between.rsplit('\n').next()?.chars().count()).ok()?;
        Some(Self {
            offset,
            line: self.line.checked_add(lines)?,
            column: columns.checked_add(if lines == 0 { self.column } else { 1 })?,
        })
    }
}

/// The places of all items of the array that `steps` lead to, in one pass over the text.
#[must_use]
pub fn locate_items(text: &str, steps: &[Step<'_>]) -> Option<Vec<Place>> {
    let mut place = Place {
        offset: 0,
        line: 1,
        column: 1,
    };
    let ranges = item_ranges(text, steps)?.into_iter();
    ranges
        .map(|range| {
            place = place.moved_to(text, range.start)?;
            Some(place)
        })
        .collect()
}

/// The bytes of all items of the array that `steps` lead to, without the blanks around them, in one pass over the text.
#[must_use]
pub fn item_ranges(text: &str, steps: &[Step<'_>]) -> Option<Vec<Range<usize>>> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.follow(steps)?;
    if let Some(Step::Member(_)) = steps.last() {
        cursor.skip_name()?;
    }
    let mut items = Vec::new();
    cursor.expect(b'[')?;
    cursor.skip_blank();
    while cursor.peek()? != b']' {
        let start = cursor.at;
        cursor.skip_value()?;
        let item = text.get(start..cursor.at)?.trim_end();
        items.push(start..start.saturating_add(item.len()));
        if cursor.expect(b',').is_none() {
            break;
        }
        cursor.skip_blank();
    }
    Some(items)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn bump(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.bump();
        }
    }

    /// Stops in front of the last step's name or item.
    fn follow(&mut self, steps: &[Step<'_>]) -> Option<()> {
        self.skip_blank();
        for (depth, step) in steps.iter().enumerate() {
            match step {
                Step::Member(name) => self.enter_object(name)?,
                Step::Item(index) => self.enter_array(*index)?,
            }
            if depth.saturating_add(1) < steps.len()
                && let Step::Member(_) = step
            {
                self.skip_name()?;
            }
        }
        Some(())
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip_blank();
        (self.peek()? == byte).then(|| self.bump())
    }

    /// Stops in front of the name of the member `wanted`.
    fn enter_object(&mut self, wanted: &str) -> Option<()> {
        self.expect(b'{')?;
        loop {
            self.skip_blank();
            let name_at = self.at;
            let raw = self.skip_string()?;
            if serde_json::from_str::<String>(raw).ok()?.as_str() == wanted {
                self.at = name_at;
                return Some(());
            }
            self.expect(b':')?;
            self.skip_value()?;
            self.expect(b',')?;
        }
    }

    /// From the name of a member to its value.
    fn skip_name(&mut self) -> Option<()> {
        self.skip_string()?;
        self.expect(b':')?;
        self.skip_blank();
        Some(())
    }

    /// Stops in front of the item.
    fn enter_array(&mut self, index: usize) -> Option<()> {
        self.expect(b'[')?;
        for _ in 0..index {
            self.skip_value()?;
            self.expect(b',')?;
        }
        self.skip_blank();
        (self.peek()? != b']').then_some(())
    }

    fn skip_string(&mut self) -> Option<&str> {
        let start = self.at;
        if self.peek()? != b'"' {
            return None;
        }
        self.bump();
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.bump(),
                _ => {}
            }
            self.bump();
        }
        self.bump();
        self.text.get(start..self.at)
    }

    /// Skips a value of any kind by counting brackets outside strings.
    fn skip_value(&mut self) -> Option<()> {
        self.skip_blank();
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.skip_string()?;
                }
                b'{' | b'[' => {
                    depth = depth.saturating_add(1);
                    self.bump();
                }
                b'}' | b']' | b',' if depth == 0 => return Some(()),
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.bump();
                }
                _ => self.bump(),
            }
            if depth == 0 && matches!(self.peek(), Some(b',' | b'}' | b']') | None) {
                return Some(());
            }
        }
    }
}
