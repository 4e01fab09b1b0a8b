//! Where a member stands in a JSON text that was read before, for messages to an operator.
//!
//! The text is known to be JSON, so this only skips; if it is not, the answer is `None`, never a panic.

use super::Step;

/// Line and column (in characters), from 1, of the member's name or the item's value that `steps` lead to.
#[must_use]
pub fn locate(text: &str, steps: &[Step<'_>]) -> Option<(u32, u32)> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.skip_blank();
    for (depth, step) in steps.iter().enumerate() {
        match step {
            Step::Member(name) => cursor.enter_object(name)?,
            Step::Item(index) => cursor.enter_array(*index)?,
        }
        if depth.saturating_add(1) < steps.len()
            && let Step::Member(_) = step
        {
            cursor.skip_name()?;
        }
    }
    let before = text.get(..cursor.at)?;
    let line = before.matches('\n').count().saturating_add(1);
    let column = before
        .rsplit('\n')
        .next()?
        .chars()
        .count()
        .saturating_add(1);
    Some((u32::try_from(line).ok()?, u32::try_from(column).ok()?))
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
