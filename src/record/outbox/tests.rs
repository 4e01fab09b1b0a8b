//! Lines of many threads come out whole and in order, once each, and nobody sleeps through one.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// Writes this line.
pub(in crate::record) fn text(line: String) -> impl FnOnce(&mut Buffer) -> Result<(), Infallible> {
    move |bytes| {
        bytes.put(line.as_bytes());
        Ok(())
    }
}

fn fails(bytes: &mut Buffer) -> Result<(), &'static str> {
    bytes.put(b"begun");
    Err("and not ended")
}

fn all(outboxes: &Outboxes) -> String {
    let batches = outboxes.take(false).flat_map(|(batches, _)| batches);
    batches.fold(String::new(), |all, batch| {
        all + std::str::from_utf8(batch.bytes()).unwrap()
    })
}

#[test]
fn a_line_that_cannot_be_written_leaves_nothing_behind() {
    let outboxes = Outboxes::default();
    let mine = outboxes.mine();
    assert!(mine.push(LineOf::Change, text("one".to_owned())));
    assert!(!mine.push(LineOf::Changed, fails));
    assert!(mine.push_awaited(LineOf::Change, fails).is_none());
    assert!(mine.push(LineOf::Changed, text("two".to_owned())));
    assert_eq!(all(&outboxes), "one\ntwo\n");
    assert_eq!(all(&outboxes), "");
    assert!(!mine.push(LineOf::Changed, fails));
    assert_eq!(all(&outboxes), "", "it alone is nothing to take");
}

#[test]
fn a_line_of_a_writer_that_panicked_is_not_part_of_the_next_one() {
    let outboxes = Outboxes::default();
    let panics = |bytes: &mut Buffer| -> Result<(), Infallible> {
        bytes.put(b"begun");
        panic!("in the middle of a line");
    };
    let push = std::panic::AssertUnwindSafe(|| outboxes.mine().push(LineOf::Change, panics));
    assert!(std::panic::catch_unwind(push).is_err());
    assert!(
        outboxes
            .mine()
            .push(LineOf::Change, text("next".to_owned()))
    );
    assert_eq!(all(&outboxes), "next\n");
}

#[test]
fn what_was_closed_takes_nothing() {
    let outboxes = Outboxes::default();
    outboxes.take(true).for_each(drop);
    assert!(
        !outboxes
            .mine()
            .push(LineOf::Change, text("late".to_owned()))
    );
    let awaited = outboxes
        .mine()
        .push_awaited(LineOf::Change, text("late".to_owned()));
    assert!(awaited.is_none());
}

#[test]
fn lines_say_what_they_are_of_and_where_they_stand() {
    let id = CallId::from_uuid(uuid::Uuid::from_u128(1));
    let of = [LineOf::Decision(id), LineOf::Outcome(id), LineOf::Change];
    let mut batch = Batch::default();
    for (of, line) in of.iter().zip(["decided", "ended", "changes"]) {
        batch.push(*of, text(line.to_owned())).unwrap();
    }
    assert_eq!((batch.decisions(), batch.places()), (1, 2));
    let lines: Vec<_> = batch.lines().collect();
    assert_eq!(lines.iter().map(|(of, _)| *of).collect::<Vec<_>>(), of);
    let shown = lines.iter().map(|(_, place)| &batch.bytes()[place.clone()]);
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [&b"decided\n"[..], b"ended\n", b"changes\n"]
    );
}

/// Threads write with pauses, so that the writer falls asleep again and again.
#[test]
fn of_many_threads_each_line_comes_once_and_in_the_order_of_its_thread() {
    const THREADS: usize = 24;
    const LINES: usize = 400;
    let outboxes = Arc::new(Outboxes::default());
    let writers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let outboxes = Arc::clone(&outboxes);
            thread::spawn(move || {
                for line in 0..LINES {
                    let line = text(format!("{thread} {line}"));
                    assert!(outboxes.mine().push(LineOf::Change, line));
                    if thread % 3 == 0 {
                        thread::park_timeout(Duration::from_micros(50));
                    }
                }
            })
        })
        .collect();
    outboxes.bell().hang();
    let (began, mut seen) = (Instant::now(), String::new());
    while seen.matches('\n').count() < THREADS * LINES {
        assert!(began.elapsed() < LONG, "a line was slept through");
        outboxes.wait();
        seen += &all(&outboxes);
    }
    for writer in writers {
        writer.join().unwrap();
    }
    let mut of_threads = BTreeMap::<&str, Vec<usize>>::new();
    for line in seen.lines() {
        let (thread, line) = line.split_once(' ').unwrap();
        of_threads
            .entry(thread)
            .or_default()
            .push(line.parse().unwrap());
    }
    assert_eq!(of_threads.len(), THREADS);
    for lines in of_threads.values() {
        assert_eq!(*lines, (0..LINES).collect::<Vec<_>>());
    }
}

#[test]
fn who_hurries_is_not_kept_waiting_for_others() {
    let outboxes = Arc::new(Outboxes::default());
    outboxes.bell().hang();
    let other = Arc::clone(&outboxes);
    let hurries = thread::spawn(move || {
        thread::park_timeout(Duration::from_millis(20));
        other
            .mine()
            .push_awaited(LineOf::Change, text("now".to_owned()))
    });
    let began = Instant::now();
    outboxes.bell().gather(LONG);
    assert!(began.elapsed() < LONG);
    assert!(hurries.join().unwrap().is_some());
    outboxes.bell().finish();
    outboxes.bell().gather(LONG);
    assert!(outboxes.bell().is_finished());
    assert!(began.elapsed() < LONG);
}

#[test]
fn more_than_a_batch_has_room_for_comes_out_in_order_and_no_batch_grows_beyond_its_memory() {
    let outboxes = Outboxes::default();
    let line = |number: usize| format!("{number} {}", "x".repeat(2_000));
    for round in 0..2 {
        for number in 0..100 {
            assert!(outboxes.mine().push(LineOf::Change, text(line(number))));
        }
        let (batches, _) = outboxes
            .take(false)
            .find(|(all, _)| !all.is_empty())
            .unwrap();
        assert_eq!(batches.len(), 4, "round {round}");
        let capacities = batches.iter().map(|batch| batch.bytes.capacity());
        assert!(capacities.max() <= Some(64 * 1024));
        let lines = batches
            .iter()
            .flat_map(|batch| batch.bytes().split(|b| *b == b'\n'));
        let lines = lines.filter(|line| !line.is_empty());
        assert!(lines.eq((0..100).map(|number| line(number).into_bytes())));
        let room = outboxes.mine().content.lock().batch.bytes.capacity();
        assert_eq!(room, 64 * 1024, "what follows full ones need not grow");
    }
}
