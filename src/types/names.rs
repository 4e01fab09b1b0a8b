//! One macro for Graph's closed sets of names. Never here: a set that Graph leaves open.

/// Declares an enum with Graph's name of each variant: `ALL`, `as_str`, `parse` in any case, and JSON by name.
macro_rules! names {
    ($(#[$doc:meta])* $set:ident { $($(#[$vdoc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $set {
            $($(#[$vdoc])* $name,)*
        }

        impl $set {
            /// Every one, in Graph's order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Graph's name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads Graph's name, in any case.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str().eq_ignore_ascii_case(text))
            }
        }

        impl std::fmt::Display for $set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $set {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use names;
