//! Points in wall time. Nobody reads a clock here: the time of a call is read once, at its start, and passed in.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// As many characters has a time as text, at most; and one of whole seconds without its `Z`.
const TEXT_BYTES: usize = 27;
const SECONDS_BYTES: usize = 19;

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

    /// Writes the time into `buffer`: RFC 3339 in UTC, as Graph writes it. By hand, since a record holds several.
    fn encode(self, buffer: &mut [u8; TEXT_BYTES]) -> &str {
        let at = OffsetDateTime::from_unix_timestamp(self.as_seconds()).ok();
        let year = at.and_then(|at| u32::try_from(at.year()).ok());
        let (Some(at), Some(year @ 0..=9999)) = (at, year) else {
            return "9999-12-31T23:59:59Z";
        };
        *buffer = *b"0000-00-00T00:00:00.000000Z";
        let micros = u32::try_from(self.0.rem_euclid(1_000_000)).unwrap_or_default();
        let mut put = |place: usize, value: u32| {
            if let Some([tens, ones]) = buffer.get_mut(place..place + 2) {
                *tens += u8::try_from(value / 10).unwrap_or_default();
                *ones += u8::try_from(value % 10).unwrap_or_default();
            }
        };
        put(0, year / 100);
        put(2, year % 100);
        put(5, u8::from(at.month()).into());
        put(8, at.day().into());
        put(11, at.hour().into());
        put(14, at.minute().into());
        put(17, at.second().into());
        put(20, micros / 10_000);
        put(22, micros / 100 % 100);
        put(24, micros % 100);
        let digits = buffer.len() - 1;
        let mut end = if micros == 0 { SECONDS_BYTES } else { digits };
        while buffer.get(end - 1) == Some(&b'0') && end > SECONDS_BYTES {
            end -= 1;
        }
        if let Some(last) = buffer.get_mut(end) {
            *last = b'Z';
        }
        let text = buffer.get(..=end).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, as Graph writes it: `2026-10-01T12:34:56.123456Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encode(&mut [0; TEXT_BYTES]))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.encode(&mut [0; TEXT_BYTES]))
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
