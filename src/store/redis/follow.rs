//! Follows the changes that other replicas make, from where it was, and gives back what the engine has lost.
//!
//! Changes are numbered. A number that does not follow the last one, or another epoch, says that something was missed:
//! the stream was trimmed beyond us, or the engine has lost a part or all of what it had. Then all is read from the
//! hash, and what this replica knows and the hash lacks is put there again.
//! Never here: a position that moves on past a change that was not told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::redis::Cmd;

use super::connection::Connection;
use super::{ENTRIES, Engine, Ranks, script};
use crate::store::{Answer, Changes, Sealed, StoreError};

/// How long the engine waits for a change before it says that there is none: so old may be what is known, and no news
/// of it, while all is well.
const WAIT: Duration = Duration::from_secs(1);

/// The most changes that are told at once.
const CHANGES: usize = 1_000;

/// How long one replica has for giving back, before another one may.
const HEALING: Duration = Duration::from_secs(10);

/// Follows one engine.
#[derive(Debug)]
pub struct Follower {
    engine: Arc<Engine>,
    /// A connection of its own: it waits in there.
    connection: Option<Connection>,
    /// Up to where changes were told; `None` before the state was read.
    position: Option<Position>,
    /// What is to be compared with what this replica knows, and when.
    to_heal: Option<(Ranks, Instant)>,
}

/// A place in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    epoch: String,
    number: u64,
    place: String,
}

/// One change of the stream.
struct Change {
    place: String,
    number: u64,
    entry: Sealed,
}

impl Changes for Follower {
    fn next<'a>(
        &'a mut self,
        ours: &'a (dyn Fn() -> Vec<Sealed> + Send + Sync),
    ) -> Answer<'a, Vec<Sealed>> {
        Box::pin(async move {
            let next = self.step(ours).await;
            if next.is_err() {
                self.connection = None;
            }
            next
        })
    }
}

impl Follower {
    pub(super) const fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            connection: None,
            position: None,
            to_heal: None,
        }
    }

    /// What has changed, or everything if something was missed, or nothing in a while.
    async fn step(
        &mut self,
        ours: &(dyn Fn() -> Vec<Sealed> + Send + Sync),
    ) -> Result<Vec<Sealed>, StoreError> {
        let engine = Arc::clone(&self.engine);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(engine.connect().await?),
        };
        let Some(position) = &self.position else {
            return self.read_all().await;
        };
        if let Some((_, when)) = &self.to_heal
            && *when <= Instant::now()
        {
            return self.heal(ours).await;
        }
        let mut changes = engine.changes(connection, position, WAIT).await?;
        if changes.is_empty() {
            let head = engine.head(connection).await?;
            if head.epoch == position.epoch && head.number == position.number {
                return Ok(Vec::new());
            }
            // Perhaps somebody said something between the two questions.
            changes = engine.changes(connection, position, Duration::ZERO).await?;
            if head.epoch != position.epoch || changes.is_empty() {
                return self.read_all().await;
            }
        }
        let mut next = position.clone();
        let mut told = Vec::with_capacity(changes.len());
        for change in changes {
            if Some(change.number) != next.number.checked_add(1) {
                return self.read_all().await;
            }
            next.number = change.number;
            next.place = change.place;
            told.push(change.entry);
        }
        self.position = Some(next);
        if let Some((ranks, _)) = &mut self.to_heal {
            ranks.extend(
                told.iter()
                    .map(|entry| (Arc::clone(&entry.key), entry.rank)),
            );
        }
        Ok(told)
    }

    /// Everything, and the place from which to follow.
    async fn read_all(&mut self) -> Result<Vec<Sealed>, StoreError> {
        let engine = Arc::clone(&self.engine);
        let Some(connection) = &mut self.connection else {
            return Ok(Vec::new());
        };
        if self.position.take().is_some() {
            tracing::warn!("changes of the shared state were missed; all of it is read");
        }
        // First the place: what changes while all is read is told once more from there.
        let head = engine.head(connection).await?;
        let entries = engine.entries(connection).await?;
        let soon = Instant::now() + random_below(HEALING / 10);
        self.to_heal = Some((ranks_of(&entries), soon));
        self.position = Some(head);
        Ok(entries)
    }

    /// Puts what this replica knows and the engine lacks there again. One replica at a time: the others look again
    /// later, and find it done.
    async fn heal(
        &mut self,
        ours: &(dyn Fn() -> Vec<Sealed> + Send + Sync),
    ) -> Result<Vec<Sealed>, StoreError> {
        let Some((theirs, _)) = self.to_heal.take() else {
            return Ok(Vec::new());
        };
        let mut lacking = lacking_of(ours(), &theirs);
        let engine = Arc::clone(&self.engine);
        let Some(connection) = &mut self.connection else {
            return Ok(Vec::new());
        };
        if lacking.is_empty() {
            return Ok(Vec::new());
        }
        if !engine.becomes_healer(connection).await? {
            // Another one gives back, and may know the same. What it gives is heard of until then.
            let later = HEALING.saturating_add(random_below(HEALING));
            self.to_heal = Some((theirs, Instant::now() + later));
            return Ok(Vec::new());
        }
        // What this replica itself has written meanwhile is in the engine, though perhaps not heard of by the stream yet.
        lacking = lacking_of(lacking, &ranks_of(&engine.entries(connection).await?));
        if lacking.is_empty() {
            return Ok(Vec::new());
        }
        tracing::warn!(
            entries = lacking.len(),
            "the shared state lacks what this replica knows; it is put there again"
        );
        for some in lacking.chunks(ENTRIES) {
            engine.put(connection, some).await?;
        }
        Ok(Vec::new())
    }
}

/// The rank of each entry.
fn ranks_of(entries: &[Sealed]) -> Ranks {
    let ranks = entries.iter();
    ranks
        .map(|entry| (Arc::clone(&entry.key), entry.rank))
        .collect()
}

/// The entries that are not among these, or stand above them.
fn lacking_of(mut entries: Vec<Sealed>, theirs: &Ranks) -> Vec<Sealed> {
    entries.retain(|entry| theirs.get(&entry.key).is_none_or(|rank| *rank < entry.rank));
    entries
}

/// What `XREAD` replies of each stream: its name, and of each of its entries the place and the fields.
type Streams = Option<Vec<(String, Vec<(String, Vec<(String, String)>)>)>>;

impl Engine {
    /// Where the stream is.
    async fn head(&self, connection: &mut Connection) -> Result<Position, StoreError> {
        let command = script::head(&self.keys);
        let (epoch, number, place) = self.ask(connection, &command, Duration::ZERO).await?;
        Ok(Position {
            epoch,
            number,
            place,
        })
    }

    /// The changes after a position; waited for, if there are none.
    async fn changes(
        &self,
        connection: &mut Connection,
        position: &Position,
        wait: Duration,
    ) -> Result<Vec<Change>, StoreError> {
        let mut command = Cmd::new();
        command.arg("XREAD").arg("COUNT").arg(CHANGES);
        if !wait.is_zero() {
            command.arg("BLOCK").arg(wait.as_millis().to_string());
        }
        command
            .arg("STREAMS")
            .arg(&self.keys.log)
            .arg(&position.place);
        let streams: Streams = self.ask(connection, &command, wait).await?;
        let entries = streams
            .into_iter()
            .flatten()
            .flat_map(|(_, entries)| entries);
        entries
            .map(|(place, fields)| self.change(place, &fields))
            .collect()
    }

    fn change(&self, place: String, fields: &[(String, String)]) -> Result<Change, StoreError> {
        let field = |name: &str| {
            let field = fields.iter().find(|(field, _)| field == name);
            field.map_or("", |(_, value)| value)
        };
        Ok(Change {
            place,
            // One that is no number follows no other: all is read then.
            number: field("n").parse().unwrap_or(0),
            entry: self.sealed(field("key"), field("rank"), field("value"))?,
        })
    }

    /// Every entry of the hash.
    async fn entries(&self, connection: &mut Connection) -> Result<Vec<Sealed>, StoreError> {
        let (mut entries, mut cursor) = (Vec::new(), "0".to_owned());
        loop {
            let mut command = Cmd::new();
            command.arg("HSCAN").arg(&self.keys.state).arg(&cursor);
            command.arg("COUNT").arg(ENTRIES);
            let (next, some): (_, Vec<_>) = self.ask(connection, &command, Duration::ZERO).await?;
            entries.extend(self.opened(&some)?);
            cursor = next;
            if cursor == "0" {
                return Ok(entries);
            }
        }
    }

    /// Whether this replica is the one that gives back.
    async fn becomes_healer(&self, connection: &mut Connection) -> Result<bool, StoreError> {
        let mut command = Cmd::new();
        command.arg("SET").arg(&self.keys.healer).arg("1").arg("NX");
        command.arg("PX").arg(HEALING.as_millis().to_string());
        let done: Option<String> = self.ask(connection, &command, Duration::ZERO).await?;
        Ok(done.is_some())
    }
}

/// A random time below `limit`, so that replicas do not do the same at one moment.
fn random_below(limit: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_u128();
    let micros = random.checked_rem(limit.as_micros()).unwrap_or(0);
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
