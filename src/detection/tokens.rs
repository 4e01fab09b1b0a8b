//! Where an agent's tokens are used: one that goes to and fro between two places, or is used by two clients, was copied.
//!
//! The eight tokens that were used last are watched. Never here: a token.

use super::Mark;

/// How many tokens of one agent are watched at once.
const TOKENS: usize = 8;

/// From where and by what a call comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Origin {
    /// The network.
    pub(super) place: Mark,
    /// The client.
    pub(super) client: Mark,
}

/// The use of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Use {
    token: Mark,
    /// From where it was used first, which is where it was issued to.
    home: Origin,
    /// From where it was used last.
    last: Origin,
    /// How often it went from one origin to another.
    moves: u8,
    /// When it was used first and last, in seconds.
    since: u32,
    seen: u32,
}

/// Tokens of one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tokens([Use; TOKENS]);

/// What a call tells of its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It is used for the first time.
    New,
    /// It is used from where it was issued to.
    AtHome,
    /// It is used from elsewhere.
    Away {
        /// Where it was issued to.
        home: Origin,
        /// How often it moved by now.
        moves: u8,
        /// When it was used first, in seconds.
        since: u32,
    },
}

impl Tokens {
    /// A token was used.
    pub(super) fn used(&mut self, token: Mark, origin: Origin, now: u32) -> Told {
        let known = |one: &&mut Use| one.seen > 0 && one.token == token;
        let Some(used) = self.0.iter_mut().find(known) else {
            self.begin(token, origin, now);
            return Told::New;
        };
        used.seen = now;
        if used.last != origin {
            used.last = origin;
            used.moves = used.moves.saturating_add(1);
        }
        if used.home == origin {
            return Told::AtHome;
        }
        Told::Away {
            home: used.home,
            moves: used.moves,
            since: used.since,
        }
    }

    /// In place of the one that was used longest ago.
    fn begin(&mut self, token: Mark, home: Origin, now: u32) {
        if let Some(oldest) = self.0.iter_mut().min_by_key(|one| one.seen) {
            *oldest = Use {
                token,
                home,
                last: home,
                moves: 0,
                since: now,
                seen: now,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(place: u8) -> Origin {
        Origin {
            place: Mark::of(&[&[place]]),
            client: Mark::default(),
        }
    }

    #[test]
    fn a_token_is_at_home_where_it_was_used_first() {
        let mut tokens = Tokens::default();
        let token = Mark::of(&[b"t"]);
        assert_eq!(tokens.used(token, origin(1), 10), Told::New);
        assert_eq!(tokens.used(token, origin(1), 11), Told::AtHome);
        for (now, place, moves) in [(12, 2, 1), (13, 2, 1), (15, 2, 3)] {
            if now == 15 {
                assert_eq!(tokens.used(token, origin(1), 14), Told::AtHome);
            }
            let away = Told::Away {
                home: origin(1),
                moves,
                since: 10,
            };
            assert_eq!(tokens.used(token, origin(place), now), away);
        }
    }

    #[test]
    fn the_token_that_was_used_longest_ago_makes_room() {
        let mut tokens = Tokens::default();
        let token = |n: u8| Mark::of(&[&[n]]);
        for n in 0..9 {
            assert_eq!(
                tokens.used(token(n), origin(1), 10 + u32::from(n)),
                Told::New
            );
        }
        assert_eq!(tokens.used(token(1), origin(1), 30), Told::AtHome);
        assert_eq!(tokens.used(token(0), origin(1), 31), Told::New);
    }
}
