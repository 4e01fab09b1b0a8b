//! What goes on on one connection, as far as its limits need to know: calls under way, a head that has begun, bytes
//! and answers that the peer does not take, calls that it gave up.
//!
//! hyper's own limit on a head also runs while a kept-alive connection waits for its next call, so that it cannot
//! tell a slow head from an idle connection. Here they are two limits. Never here: closing anything.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::heads::InBody;
use super::settings::Limits;
use crate::enforcement::OpenCall;
use crate::identity::Basis;
use crate::types::Reason;

/// How long a peer may take for an answer after which the connection is closed.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// How long a peer of HTTP/1.1, and one that has not called yet, has for the call after which its connection is closed.
const PARTING: Duration = Duration::from_secs(1);

/// The shared state of one connection's activity.
#[derive(Debug)]
pub(super) struct Activity {
    http2: bool,
    pub(super) in_body: InBody,
    state: Mutex<State>,
}

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is told by another part of the connection, and none follows from the others"
)]
struct State {
    calls: usize,
    /// Calls that ever began, and those of them that the peer gave up.
    begun: usize,
    given_up: usize,
    /// When the last call ended, or the connection began.
    idle_since: Instant,
    /// When the head that is being read began.
    head_since: Option<Instant>,
    /// HTTP/1.1: whether a byte of that head came. In HTTP/2 bytes may be a ping as well.
    head_has_begun: bool,
    /// HTTP/1.1: the request, counted from 0, that stands for bytes which are none, and why.
    refused: Option<(usize, Reason)>,
    /// HTTP/1.1: the request, counted from 0, that asks for a WebSocket.
    asks: Option<usize>,
    /// HTTP/1.1: the connection is a WebSocket.
    switched: bool,
    /// HTTP/1.1: the head that is being read is to be refused.
    overdue: bool,
    /// HTTP/1.1: since when our side is closed, and what the peer still says is thrown away.
    farewell: Option<Instant>,
    last_write: Instant,
    /// Since when the peer takes no bytes that wait for it.
    blocked_since: Option<Instant>,
    /// HTTP/2: answers that stream, and when they were looked at.
    answers: Vec<Weak<dyn Answer>>,
    looked_at: Instant,
    /// HTTP/2: frames without end that carry nothing.
    flooded: bool,
    aborted: bool,
    owner: Owner,
    /// HTTP/2: the last call that is over.
    last: Option<Arc<OpenCall>>,
}

/// Whose a connection is.
#[derive(Debug)]
enum Owner {
    Nobody,
    /// Every call on it was forwarded for one account.
    One(Basis),
    Many,
}

/// An answer that streams, and that its peer may leave untaken.
pub(super) trait Answer: fmt::Debug + Send + Sync {
    /// Since when a part of it waits for the peer; `None` while the peer waits.
    fn waits_since(&self) -> Option<Instant>;

    /// Lets go of all that it holds. What is left of it is an error.
    fn give_up(&self);
}

/// A call that has begun.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) guard: CallGuard,
    /// Why the request is none, if it is none.
    pub(super) refused: Option<Reason>,
    /// HTTP/1.1: whether it asks for a WebSocket.
    pub(super) asks: bool,
    /// Which request of the connection it is, counted from 0.
    pub(super) number: usize,
}

/// Which limit a connection has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    /// The time for a head of which nothing has come.
    Silence,
    /// The time that a peer has to read an answer that came before it had said everything.
    Refusal,
    /// The time for a head that has begun.
    Head,
    /// The time without a call.
    Idle,
    /// The time in which the peer takes no bytes.
    Blocked,
    /// The time to look whether the peer takes its answers.
    Answers,
    /// The calls that a peer may give up.
    GivenUp,
}

impl Activity {
    /// A connection that has just begun. Its first head is due from now on.
    pub(super) fn new(http2: bool, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            http2,
            in_body: InBody::default(),
            state: Mutex::new(State {
                calls: 0,
                begun: 0,
                given_up: 0,
                idle_since: now,
                head_since: Some(now),
                head_has_begun: false,
                refused: None,
                asks: None,
                switched: false,
                overdue: false,
                farewell: None,
                last_write: now,
                blocked_since: None,
                answers: Vec::new(),
                looked_at: now,
                flooded: false,
                aborted: false,
                owner: Owner::Nobody,
                last: None,
            }),
        })
    }

    /// Notes a call; it ends when the guard is dropped.
    pub(super) fn begin_call(self: &Arc<Self>) -> Begun {
        let mut state = self.state.lock();
        let number = state.begun;
        state.begun = state.begun.saturating_add(1);
        state.calls = state.calls.saturating_add(1);
        state.head_since = None;
        state.head_has_begun = false;
        let refused = state.refused.filter(|(refused, _)| *refused == number);
        let asks = state.asks == Some(number);
        drop(state);
        let guard = CallGuard {
            activity: Arc::clone(self),
            over: false,
        };
        Begun {
            guard,
            refused: refused.map(|(_, reason)| reason),
            asks,
            number,
        }
    }

    /// Request `number`, counted from 0, asks for a WebSocket.
    pub(super) fn note_asks(&self, number: usize) {
        self.state.lock().asks = Some(number);
    }

    /// It gets one: the bytes that follow are no requests.
    pub(super) fn switch(&self) {
        self.state.lock().switched = true;
    }

    /// Whether the connection is a WebSocket.
    pub(super) fn is_switched(&self) -> bool {
        self.state.lock().switched
    }

    /// Notes an answer that streams.
    pub(super) fn streams(&self, answer: Weak<dyn Answer>) {
        if self.http2 {
            let mut state = self.state.lock();
            if state.answers.is_empty() {
                state.looked_at = Instant::now();
            }
            state.answers.retain(|answer| answer.strong_count() > 0);
            state.answers.push(answer);
        }
    }

    /// The next limit that the connection runs into, and when; `None` while nothing can expire.
    pub(super) fn next_limit(&self, limits: &Limits) -> Option<(Instant, Expired)> {
        let state = self.state.lock();
        let most = limits.max_resets;
        if state.given_up > most && state.given_up > state.begun / 2 {
            return Some((state.idle_since, Expired::GivenUp));
        }
        let write = limits.write_timeout;
        let blocked = state.blocked_since.map(|at| (at + write, Expired::Blocked));
        // Looked at now and then, not at each step of the connection.
        let next_look = state.looked_at + write / 4;
        let answer = (!state.answers.is_empty()).then_some((next_look, Expired::Answers));
        let (mut head, mut idle) = (None, None);
        if state.calls == 0 && state.refused.is_some() {
            idle = Some((state.idle_since + LINGER, Expired::Refusal));
        } else if state.calls == 0 {
            let expired = if state.head_has_begun {
                Expired::Head
            } else {
                Expired::Silence
            };
            let due = state.head_since.map(|at| at + limits.header_timeout);
            head = due.filter(|_| !state.overdue).map(|due| (due, expired));
            idle = Some((state.idle_since + limits.idle_timeout, Expired::Idle));
        }
        let farewell = state.farewell.map(|at| (at + LINGER, Expired::Refusal));
        let all = [blocked, answer, head, idle, farewell];
        all.into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// Gives up the answers of which the peer has taken nothing for this long. How many they are.
    pub(super) fn give_up_answers(&self, after: Duration) -> usize {
        let mut state = self.state.lock();
        state.answers.retain(|answer| answer.strong_count() > 0);
        state.looked_at = Instant::now();
        let answers = state.answers.clone();
        // An answer that ends looks for this lock.
        drop(state);
        let stalled = answers.iter().filter_map(Weak::upgrade).filter(|answer| {
            let waits = answer.waits_since();
            waits.is_some_and(|since| since.elapsed() >= after)
        });
        stalled.inspect(|answer| answer.give_up()).count()
    }

    /// Whether no call is under way and nothing was written for this long.
    pub(super) fn is_quiet_for(&self, time: Duration) -> bool {
        let state = self.state.lock();
        state.calls == 0 && state.last_write.elapsed() >= time
    }

    /// Whether a connection that is to take no more calls may be closed without losing one, `since` when it is to. In
    /// HTTP/2 its peer is told which calls were taken. In HTTP/1.1 a call may be on its way: the next answer says that it
    /// is the last, and who has not called for a while is hardly about to.
    pub(super) fn may_part(&self, since: Instant) -> bool {
        let state = self.state.lock();
        let quiet_since = since.max(state.idle_since);
        let is_quiet = state.calls == 0
            && (self.http2 || !state.head_has_begun)
            && quiet_since.elapsed() >= PARTING;
        is_quiet || (self.http2 && state.begun > 0)
    }

    /// Whether no call is under way, and every call was forwarded for one account. Connections that several share, as a
    /// proxy's are, are not closed for the sake of one: another's next call might be lost with them.
    pub(super) fn is_idle_and_of_one(&self) -> bool {
        let state = self.state.lock();
        state.calls == 0 && matches!(state.owner, Owner::One(_))
    }

    /// Notes whose the connection is: of a call that was forwarded, by what its caller is known.
    pub(super) fn note_caller(&self, basis: Option<&Basis>) {
        let mut state = self.state.lock();
        match (&state.owner, basis) {
            (Owner::Nobody, Some(basis)) => state.owner = Owner::One(basis.clone()),
            (Owner::One(owner), Some(basis)) if owner.is_of_account_of(basis) => {}
            (Owner::Nobody | Owner::One(_), _) => state.owner = Owner::Many,
            (Owner::Many, _) => {}
        }
    }

    /// A call of an HTTP/2 connection is over.
    pub(super) fn note_last(&self, call: Arc<OpenCall>) {
        self.state.lock().last = Some(call);
    }

    /// The last call that is over, if it is another one than when this was asked before.
    pub(super) fn take_last(&self) -> Option<Arc<OpenCall>> {
        self.state.lock().last.take()
    }

    /// A call that ended was cut by us: its peer did not give it up.
    pub(super) fn note_cut(&self) {
        let mut state = self.state.lock();
        state.given_up = state.given_up.saturating_sub(1);
    }

    /// The connection ends at once, and with it what of it lies in the operating system's hands.
    pub(super) fn abort(&self) {
        self.state.lock().aborted = true;
    }

    /// Whether it does.
    pub(super) fn is_aborted(&self) -> bool {
        self.state.lock().aborted
    }

    /// Lets the reader refuse the head that it has not got whole.
    pub(super) fn refuse_head(&self) {
        self.state.lock().overdue = true;
    }

    /// Whether the reader is to refuse the head that it has not got whole.
    pub(super) fn is_head_overdue(&self) -> bool {
        let state = self.state.lock();
        state.overdue && state.refused.is_none()
    }

    /// Request `number`, counted from 0, stands for bytes which are none.
    pub(super) fn refuse(&self, number: usize, reason: Reason) {
        let mut state = self.state.lock();
        state.refused = Some((number, reason));
        state.idle_since = Instant::now();
    }

    /// Our side is closed, while the peer may not have said everything.
    pub(super) fn note_farewell(&self) {
        let mut state = self.state.lock();
        state.farewell.get_or_insert_with(Instant::now);
    }

    /// Bytes came.
    pub(super) fn note_read(&self) {
        let mut state = self.state.lock();
        if !self.http2 && state.calls == 0 {
            state.head_has_begun = true;
            state.head_since.get_or_insert_with(Instant::now);
        }
    }

    /// The peer took bytes.
    pub(super) fn note_write(&self) {
        let mut state = self.state.lock();
        state.last_write = Instant::now();
        state.blocked_since = None;
    }

    /// Nothing waits for the peer to take it.
    pub(super) fn note_unblocked(&self) {
        self.state.lock().blocked_since = None;
    }

    /// The peer floods us with frames.
    pub(super) fn note_flood(&self) {
        self.state.lock().flooded = true;
    }

    /// Whether it does.
    pub(super) fn is_flooded(&self) -> bool {
        self.state.lock().flooded
    }

    /// The peer takes no bytes.
    pub(super) fn note_blocked(&self) {
        let mut state = self.state.lock();
        state.blocked_since.get_or_insert_with(Instant::now);
    }
}

/// A call under way.
#[derive(Debug)]
pub(super) struct CallGuard {
    activity: Arc<Activity>,
    /// Whether its answer was handed over to the end.
    over: bool,
}

impl CallGuard {
    /// The call is over, and not because its peer gave it up.
    pub(super) const fn end(&mut self) {
        self.over = true;
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        let mut state = self.activity.state.lock();
        state.calls = state.calls.saturating_sub(1);
        state.given_up = state.given_up.saturating_add(usize::from(!self.over));
        state.idle_since = Instant::now();
    }
}
