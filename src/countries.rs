//! Room 2, pure: in which country an address is, by a database in MaxMind's format.
//!
//! The bytes of the database come from outside. Never here: IO, and a country for an address that the database has none
//! for.

use std::fmt;
use std::net::IpAddr;

use maxminddb::Reader;
use serde::Deserialize;

use crate::types::Country;

/// A database of countries.
pub struct Countries(Reader<Vec<u8>>);

impl fmt::Debug for Countries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Countries").field(&self.kind()).finish()
    }
}

/// Why bytes are not a database of countries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a database in MaxMind's format: {0}")]
pub struct CountriesError(String);

/// What a database says of an address: in the form of GeoLite2, or as one flat member.
#[derive(Debug, Default, Deserialize)]
struct Place<'a> {
    #[serde(borrow)]
    country: Option<Named<'a>>,
    country_code: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Named<'a> {
    iso_code: Option<&'a str>,
}

impl Countries {
    /// Reads a database.
    ///
    /// # Errors
    /// [`CountriesError`] when it is none, or not whole.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, CountriesError> {
        let reader =
            Reader::from_source(bytes).map_err(|fault| CountriesError(fault.to_string()))?;
        Ok(Self(reader))
    }

    /// Its own name of its kind, such as `GeoLite2-Country`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.metadata().database_type
    }

    /// The country of an address; inside, `None`: the database has none for it.
    ///
    /// # Errors
    /// [`CountriesError`] where the database is broken at that place: then nobody can tell.
    pub fn of(&self, address: IpAddr) -> Result<Option<Country>, CountriesError> {
        let broken = |fault: maxminddb::MaxMindDbError| CountriesError(fault.to_string());
        // A database of IPv4 alone has no country for any other address.
        if address.is_ipv6() && self.0.metadata().ip_version == 4 {
            return Ok(None);
        }
        let found = self.0.lookup(address.to_canonical()).map_err(broken)?;
        let place: Place<'_> = found.decode().map_err(broken)?.unwrap_or_default();
        let code = place.country.and_then(|country| country.iso_code);
        Ok(code.or(place.country_code).and_then(Country::parse))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &[u8] = include_bytes!("../tests/data/countries/countries.mmdb");

    #[test]
    fn an_address_is_in_one_country_or_in_none() {
        let countries = Countries::parse(DATABASE.to_vec()).unwrap();
        assert_eq!(countries.kind(), "Test-Country");
        let of = |text: &str| countries.of(text.parse().unwrap()).unwrap();
        assert_eq!(of("198.51.100.7"), Country::parse("NO"));
        assert_eq!(of("::ffff:198.51.100.7"), Country::parse("NO"));
        assert_eq!(of("2001:db8::1"), Country::parse("SE"));
        // As other makers of such databases write it.
        assert_eq!(of("203.0.113.9"), Country::parse("DK"));
        assert_eq!(of("127.0.0.1"), Country::parse("NO"));
        for none in ["192.0.2.1", "10.0.0.1", "2001:db9::1"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_database_is_refused() {
        for bytes in [&b""[..], b"{}", DATABASE.get(..100).unwrap()] {
            assert!(Countries::parse(bytes.to_vec()).is_err());
        }
    }
}
