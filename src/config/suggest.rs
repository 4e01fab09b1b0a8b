//! "Did you mean …?": the known word that is nearest to an unknown one.

/// The nearest of `known`, if it is near enough to be a slip of the keyboard.
#[must_use]
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    let limit = word.len().div_ceil(3).min(4);
    known
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, without regard to case.
fn distance(word: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (above, other) in other.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = above;
        let mut left = above.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (known, cell) in word.iter().zip(row.iter_mut().skip(1)) {
            let substituted = diagonal.saturating_add(usize::from(*known != other));
            diagonal = *cell;
            left = substituted
                .min(diagonal.saturating_add(1))
                .min(left.saturating_add(1));
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let known = ["host", "hosts", "path_prefixes", "upstream"];
        assert_eq!(nearest("hostz", known), Some("host"));
        assert_eq!(nearest("HOSTS", known), Some("hosts"));
        assert_eq!(nearest("upstraem", known), Some("upstream"));
        assert_eq!(nearest("path_prefix", known), Some("path_prefixes"));
        assert_eq!(nearest("retries", known), None);
        assert_eq!(nearest("", known), None);
    }

    #[test]
    fn the_distance_counts_edits() {
        let word = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&word("kitten"), "sitting"), 3);
        assert_eq!(distance(&word(""), "abc"), 3);
        assert_eq!(distance(&word("same"), "same"), 0);
    }
}
