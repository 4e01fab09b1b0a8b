//! One macro for the small closed sets of which an evaluation is made: an enum with a name per variant, and a set of them
//! in one word. Never here: a set that grows.

/// Declares an enum with `ALL` and `as_str`, and the set of its variants.
macro_rules! bit_set {
    ($(#[$doc:meta])* $one:ident, $(#[$set_doc:meta])* $set:ident($word:ty), { $($(#[$vdoc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $one {
            $($(#[$vdoc])* $name,)*
        }

        impl $one {
            /// Every one, in the order of the bits.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            #[expect(clippy::as_conversions, reason = "a discriminant, below the width of the word")]
            const fn bit(self) -> $word {
                1 << (self as u32)
            }
        }

        $(#[$set_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $set($word);

        impl $set {
            /// None of them.
            pub const NONE: Self = Self(0);

            /// This one too.
            #[must_use]
            pub const fn with(self, one: $one) -> Self {
                Self(self.0 | one.bit())
            }

            /// This one too, where `there` says so.
            #[must_use]
            pub const fn with_if(self, there: bool, one: $one) -> Self {
                if there { self.with(one) } else { self }
            }

            /// All of both.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Those that are not in the other.
            #[must_use]
            pub const fn less(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// Whether it is in the set.
            #[must_use]
            pub const fn contains(self, one: $one) -> bool {
                self.0 & one.bit() != 0
            }

            /// Whether the set is empty.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Its members, in the order of the bits.
            pub fn iter(self) -> impl Iterator<Item = $one> {
                $one::ALL.iter().copied().filter(move |one| self.contains(*one))
            }
        }

        impl FromIterator<$one> for $set {
            fn from_iter<I: IntoIterator<Item = $one>>(all: I) -> Self {
                all.into_iter().fold(Self::NONE, Self::with)
            }
        }
    };
}

pub(super) use bit_set;
