//! Where an agent's tokens are used: one that goes to and fro between two places, or is used by two clients, was copied.
//! Clients are two if they call themselves otherwise, or begin TLS otherwise.
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
    /// The client, as it calls itself.
    pub(super) client: Mark,
    /// How the client begins TLS; the default where nobody knows.
    pub(super) tls: Mark,
}

impl Origin {
    /// Whether both are known to begin TLS, and not alike.
    pub(super) fn begins_unlike(self, other: Self) -> bool {
        let is_known = self.tls != Mark::default() && other.tls != Mark::default();
        is_known && self.tls != other.tls
    }

    fn is_elsewhere(self, other: Self) -> bool {
        self.place != other.place || self.client != other.client
    }
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
    /// How often from one way to begin TLS to another, where nothing else differed.
    tls_moves: u8,
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
        /// How often it moved from one TLS client to another of the same name and place.
        tls_moves: u8,
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
        if used.last.is_elsewhere(origin) {
            used.moves = used.moves.saturating_add(1);
        } else if used.last.begins_unlike(origin) {
            used.tls_moves = used.tls_moves.saturating_add(1);
        }
        used.last = origin;
        if !used.home.is_elsewhere(origin) && !used.home.begins_unlike(origin) {
            return Told::AtHome;
        }
        Told::Away {
            home: used.home,
            moves: used.moves,
            tls_moves: used.tls_moves,
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
                tls_moves: 0,
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
            ..Origin::default()
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
                tls_moves: 0,
                since: 10,
            };
            assert_eq!(tokens.used(token, origin(place), now), away);
        }
    }

    #[test]
    fn another_way_to_begin_tls_is_another_client_and_an_unknown_one_is_none() {
        let mut tokens = Tokens::default();
        let token = Mark::of(&[b"t"]);
        let begins = |with: &[u8]| Origin {
            tls: Mark::of(&[with]),
            ..origin(1)
        };
        let away = |tls_moves| Told::Away {
            home: begins(b"a"),
            moves: 0,
            tls_moves,
            since: 10,
        };
        assert_eq!(tokens.used(token, begins(b"a"), 10), Told::New);
        assert_eq!(tokens.used(token, begins(b"b"), 11), away(1));
        assert_eq!(tokens.used(token, begins(b"b"), 12), away(1));
        assert_eq!(tokens.used(token, begins(b"a"), 13), Told::AtHome);
        assert_eq!(tokens.used(token, origin(1), 14), Told::AtHome);
        assert_eq!(tokens.used(token, begins(b"a"), 15), Told::AtHome);
        assert_eq!(tokens.used(token, begins(b"b"), 16), away(3));
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
