//! The rows as the files have them: `tests/attacks/README.md` says what each member means.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) about: String,
    pub(super) rows: Vec<Row>,
}

/// One attack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) attack: String,
    pub(super) head: Option<String>,
    pub(super) body: Option<String>,
    pub(super) bytes: Option<String>,
    pub(super) fields: Option<Vec<String>>,
    pub(super) frames: Option<Vec<Frame>>,
    #[serde(default = "once")]
    pub(super) repeat: u32,
    #[serde(default)]
    pub(super) anonymous: bool,
    #[serde(default = "localhost")]
    pub(super) sni: String,
    alpn: Option<String>,
    #[serde(default)]
    pub(super) answers: Vec<u16>,
    then: Option<Then>,
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) upstream: Vec<Seen>,
}

/// What becomes of the connection, or of the stream, behind the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Then {
    Open,
    Reset,
    #[default]
    Closed,
}

/// A call as the upstream saw it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    pub(super) line: String,
    #[serde(default)]
    pub(super) has: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) lacks: Vec<String>,
    pub(super) body: Option<String>,
}

/// A frame of HTTP/2.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frame {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) stream: u32,
    #[serde(default)]
    pub(super) flags: Vec<Flag>,
    pub(super) fields: Option<Vec<String>>,
    #[serde(default)]
    pub(super) payload: String,
    #[serde(default = "once")]
    pub(super) repeat: u32,
    /// Added to the stream with each repetition of the row.
    #[serde(default)]
    pub(super) step: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    WindowUpdate,
    Continuation,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Flag {
    Ack,
    EndStream,
    EndHeaders,
    Padded,
}

fn once() -> u32 {
    1
}

fn localhost() -> String {
    "localhost".to_owned()
}

impl Row {
    pub(super) fn is_http2(&self) -> bool {
        self.fields.is_some() || self.frames.is_some() || self.alpn.as_deref() == Some("h2")
    }

    /// Whether it is more frames than anybody reads: what they are answered with does not count.
    pub(super) fn is_flood(&self) -> bool {
        let frames = self.frames.iter().flatten();
        self.repeat > 1 || frames.into_iter().any(|frame| frame.repeat > 1)
    }

    pub(super) fn then(&self) -> Then {
        let usual = if self.is_http2() && !self.answers.is_empty() {
            Then::Open
        } else {
            Then::Closed
        };
        self.then.unwrap_or(usual)
    }
}

/// All files, by name.
pub(super) fn all() -> Vec<(String, File)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
    let mut files: Vec<(String, File)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let file = serde_saphyr::from_str(&text)
                .unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
            let name = path.file_stem().unwrap().to_str().unwrap();
            (name.to_owned(), file)
        })
        .collect();
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    files
}

/// The bytes that a text stands for: a character is a byte, `{x*9}` is nine times `x`, `{token}` the agent's token.
pub(super) fn bytes_of(text: &str, token: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        bytes.extend(before.chars().map(byte));
        let Some((inside, after)) = behind.split_once('}') else {
            bytes.push(b'{');
            rest = behind;
            continue;
        };
        let repeated = inside
            .rsplit_once('*')
            .and_then(|(text, count)| Some((text, count.parse::<usize>().ok()?)));
        match repeated {
            Some((text, count)) => {
                let piece: Vec<u8> = text.chars().map(byte).collect();
                bytes.extend(piece.repeat(count));
            }
            None if inside == "token" => bytes.extend_from_slice(token.as_bytes()),
            None => bytes.extend(format!("{{{inside}}}").chars().map(byte)),
        }
        rest = after;
    }
    bytes.extend(rest.chars().map(byte));
    bytes
}

fn byte(c: char) -> u8 {
    u8::try_from(u32::from(c)).expect("a character of the data is a byte")
}
