//! How well detections tell attacks from all else: precision and recall of each kind.

use std::fmt::Write as _;

use boomgate::detection::{DetectionSettings, Detector, Finding, Kind};

use super::attacks::{Attack, Episode};
use super::traffic::{Event, Plan, START, World};

/// What one kind came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Score {
    /// Findings about an agent while it was attacked.
    pub(crate) right: u32,
    /// Findings about anybody else.
    pub(crate) wrong: u32,
    /// Attacks that should be found by it, and those that were.
    pub(crate) attacks: u32,
    pub(crate) found: u32,
}

/// What all kinds came to.
#[derive(Debug)]
pub(crate) struct Scores {
    pub(crate) of: [Score; 7],
    pub(crate) calls: u64,
    /// Days of agents that nobody attacks, and findings about those.
    pub(crate) normal_days: u32,
    pub(crate) false_alarms: u32,
    /// Attacks that anything was found of.
    pub(crate) noticed: u32,
    /// Examples of what was found wrongly.
    pub(crate) examples: Vec<String>,
}

/// Runs the traffic of a plan through a detector.
pub(crate) fn score(plan: Plan, settings: DetectionSettings) -> Scores {
    let mut world = World::new(plan);
    let mut detector = Detector::new(settings);
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    let mut calls = 0;
    world.run(|agent, event| {
        let found = match &event {
            Event::Call(call) => {
                calls += 1;
                detector.called(call)
            }
            Event::Answer(answer) => detector.answered(answer),
        };
        findings.extend(found.into_iter().map(|finding| (agent, finding)));
    });
    let mut scores = Scores {
        of: [Score::default(); 7],
        calls,
        normal_days: world.normal_days(),
        false_alarms: 0,
        noticed: 0,
        examples: Vec::new(),
    };
    let mut noticed = vec![false; world.episodes.len()];
    for (agent, finding) in &findings {
        assert_eq!(&finding.agent, world.id(*agent));
        let hour = u32::try_from((finding.at.as_seconds() - START) / 3_600).unwrap();
        let episode = world
            .episodes
            .iter()
            .position(|of| is_within(of, *agent, hour));
        let at = Kind::ALL
            .iter()
            .position(|kind| *kind == finding.kind)
            .unwrap();
        if let Some(episode) = episode {
            scores.of[at].right += 1;
            noticed[episode] = true;
        } else {
            scores.of[at].wrong += 1;
            scores.examples.push(format!(
                "agent {agent}, hour {hour} (day {} of the week, {}:00): {} ({})",
                hour / 24 % 7,
                hour % 24,
                finding.kind,
                finding.evidence
            ));
            scores.false_alarms += u32::from(*agent < world.normal);
        }
    }
    for episode in &world.episodes {
        let expected = episode.attack.expected();
        let at = Kind::ALL.iter().position(|kind| *kind == expected).unwrap();
        let is_found = findings.iter().any(|(agent, finding)| {
            let hour = u32::try_from((finding.at.as_seconds() - START) / 3_600).unwrap();
            finding.kind == expected && is_within(episode, *agent, hour)
        });
        scores.of[at].attacks += 1;
        scores.of[at].found += u32::from(is_found);
    }
    scores.noticed = u32::try_from(noticed.iter().filter(|one| **one).count()).unwrap();
    scores
}

/// A newcomer that was made for no good never does anything else.
fn is_within(episode: &Episode, agent: usize, hour: u32) -> bool {
    let ends = match episode.attack {
        Attack::RogueNewcomer => u32::MAX,
        _ => episode.until_hour,
    };
    episode.agent == agent && (episode.from_hour..=ends).contains(&hour)
}

impl Score {
    /// The part of its findings that were right, in percent; none if there was none.
    pub(crate) fn precision(&self) -> Option<u32> {
        (self.right * 100).checked_div(self.right + self.wrong)
    }

    /// The part of the attacks that it found, in percent.
    pub(crate) fn recall(&self) -> Option<u32> {
        (self.found * 100).checked_div(self.attacks)
    }
}

impl Scores {
    /// Findings of each thousand days of an agent that nobody attacks.
    pub(crate) fn false_alarms_per_thousand_days(&self) -> u32 {
        (self.false_alarms * 1_000).div_ceil(self.normal_days)
    }

    /// A table in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from(
            "| detection | attacks | found | recall | right | wrong | precision |\n| --- | --: | --: | --: | --: | --: | --: |\n",
        );
        let percent = |part: Option<u32>| part.map_or("-".to_owned(), |part| format!("{part} %"));
        for (kind, score) in Kind::ALL.iter().zip(&self.of) {
            let Score {
                right,
                wrong,
                attacks,
                found,
            } = score;
            let (precision, recall) = (percent(score.precision()), percent(score.recall()));
            writeln!(
                text,
                "| `{kind}` | {attacks} | {found} | {recall} | {right} | {wrong} | {precision} |"
            )
            .unwrap();
        }
        writeln!(
            text,
            "\n{} calls; {} false alarms in {} days of agents that nobody attacks; {} attacks noticed by any detection",
            self.calls, self.false_alarms, self.normal_days, self.noticed
        )
        .unwrap();
        text
    }
}
