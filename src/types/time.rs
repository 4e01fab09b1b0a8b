//! Points in wall time. Nobody reads a clock here: the time of a call is read once, at its start, and passed in.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch, as `exp`, `nbf` and `iat` give them; saturating.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Later by `duration`; saturating.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds as Entra's errors write them: `2026-10-01 12:34:56Z`.
    #[must_use]
    pub fn seconds_with_blank(self) -> String {
        let text = Self::from_seconds(self.as_seconds()).to_string();
        text.replacen('T', " ", 1)
    }

    /// Reads RFC 3339, with up to nine fractional digits and any offset.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000)
            .ok()
            .map(Self)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, as Graph writes it: `2026-10-01T12:34:56.123456Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).ok();
        let year = at.and_then(|at| u32::try_from(at.year()).ok());
        let (Some(at), Some(year @ 0..=9999)) = (at, year) else {
            return f.write_str("9999-12-31T23:59:59Z");
        };
        let (hour, minute, second, micros) = at.to_hms_micro();
        // By hand: a record holds several, and the general way takes an allocation for each.
        let mut text = *b"0000-00-00T00:00:00.000000";
        let mut put = |place: Range<usize>, mut value: u32| {
            for digit in text.get_mut(place).into_iter().flatten().rev() {
                *digit = b'0' | u8::try_from(value % 10).unwrap_or_default();
                value /= 10;
            }
        };
        put(0..4, year);
        put(5..7, u8::from(at.month()).into());
        put(8..10, at.day().into());
        put(11..13, hour.into());
        put(14..16, minute.into());
        put(17..19, second.into());
        put(20..26, micros);
        let text = std::str::from_utf8(&text).unwrap_or_default();
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))?;
        f.write_str("Z")
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("expected a time such as `2026-10-01T12:00:00Z`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_what_graph_writes() {
        let at = Timestamp::from_micros(1_790_858_096_123_456);
        assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
        assert_eq!(
            Timestamp::parse("2026-09-01T08:00:00.1234567Z"),
            Some(Timestamp::from_micros(1_788_249_600_123_456))
        );
        assert_eq!(Timestamp::parse("2026-09-01"), None);
        assert_eq!(at.seconds_with_blank(), "2026-10-01 12:34:56Z");
    }

    #[test]
    fn writes_rfc_3339_as_the_calendar_does() {
        let first = Timestamp::parse("0000-01-01T00:00:00Z")
            .unwrap()
            .as_micros();
        let last = Timestamp::parse("9999-12-31T23:59:59.999999Z")
            .unwrap()
            .as_micros();
        let days = (-40_000..40_000).map(|day| day * 86_400_000_000 + day * 1_009);
        for micros in days.chain([first, last, -1, 0, 1, 10, 120_000, 1_000_000]) {
            let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap();
            assert_eq!(
                Timestamp::from_micros(micros).to_string(),
                at.format(&Rfc3339).unwrap()
            );
        }
        for micros in [first - 1, last + 1, i64::MIN, i64::MAX] {
            assert_eq!(
                Timestamp::from_micros(micros).to_string(),
                "9999-12-31T23:59:59Z"
            );
        }
    }
}
