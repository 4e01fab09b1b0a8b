//! What a call's session is made of, with Graph's names (`reference/entra.md` §3.4): guests, devices' platforms, client
//! apps, flows, countries. Never here: where such a fact comes from, and what policy makes of it.

use std::fmt;

use super::names::names;

names! {
    /// How a human belongs to a tenant that is not his own: `conditionalAccessGuestOrExternalUserTypes`.
    GuestType {
        /// A guest account of this tenant.
        InternalGuest = "internalGuest",
        /// A guest of another organisation.
        B2bCollaborationGuest = "b2bCollaborationGuest",
        /// A member from another organisation.
        B2bCollaborationMember = "b2bCollaborationMember",
        /// Connected directly, without an account here.
        B2bDirectConnectUser = "b2bDirectConnectUser",
        /// Any other external user.
        OtherExternalUser = "otherExternalUser",
        /// Of a service provider.
        ServiceProvider = "serviceProvider",
    }
}

names! {
    /// The platform of the device that a call comes from: `conditionalAccessDevicePlatform`.
    DevicePlatform {
        /// Android.
        Android = "android",
        /// iOS and iPadOS.
        Ios = "iOS",
        /// Windows.
        Windows = "windows",
        /// Windows Phone.
        WindowsPhone = "windowsPhone",
        /// macOS.
        MacOs = "macOS",
        /// Linux.
        Linux = "linux",
    }
}

names! {
    /// The kind of application that a human uses: `conditionalAccessClientApp`, less its `all`.
    ClientAppType {
        /// A browser.
        Browser = "browser",
        /// A mobile app or desktop client with modern authentication.
        MobileAppsAndDesktopClients = "mobileAppsAndDesktopClients",
        /// Exchange ActiveSync.
        ExchangeActiveSync = "exchangeActiveSync",
        /// Exchange ActiveSync on a platform that is supported.
        EasSupported = "easSupported",
        /// A client with legacy authentication.
        Other = "other",
    }
}

names! {
    /// How a human's session came to this client: `conditionalAccessTransferMethods`.
    TransferMethod {
        /// By the device code flow.
        DeviceCodeFlow = "deviceCodeFlow",
        /// Handed over from another device.
        AuthenticationTransfer = "authenticationTransfer",
    }
}

names! {
    /// How risky an insider is held to be: `conditionalAccessInsiderRiskLevels`. Ordered.
    InsiderRiskLevel {
        /// No risk is known.
        None = "none",
        /// `minor`
        Minor = "minor",
        /// `moderate`
        Moderate = "moderate",
        /// `elevated`
        Elevated = "elevated",
    }
}

/// A country or region: the two letters of ISO 3166-1 alpha-2, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads two ASCII letters, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            &[one, two] if one.is_ascii_alphabetic() && two.is_ascii_alphabetic() => {
                Some(Self([one.to_ascii_uppercase(), two.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: both are ASCII letters.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!(DevicePlatform::parse("IOS"), Some(DevicePlatform::Ios));
        assert_eq!(DevicePlatform::parse("all"), None);
        for one in GuestType::ALL {
            assert_eq!(GuestType::parse(one.as_str()), Some(*one));
        }
        assert!(InsiderRiskLevel::Minor < InsiderRiskLevel::Elevated);
    }

    #[test]
    fn a_country_is_two_letters() {
        assert_eq!(Country::parse("no").unwrap().as_str(), "NO");
        for text in ["", "N", "NOR", "N1", "é"] {
            assert_eq!(Country::parse(text), None, "{text}");
        }
    }
}
