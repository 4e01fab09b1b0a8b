//! The program's own log, to standard error: one event, one line, whatever the fields hold.
//!
//! Never here: records of decisions (room 6 writes those), and anything secret.

use std::io::{self, Write};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What an operator says of the log. Built by `config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// How lines look.
    pub format: LogFormat,
    /// Which events are logged, in the syntax of `tracing`'s filter: `info`, `boomgate=debug,warn`.
    pub filter: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".to_owned(),
        }
    }
}

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not one.
    #[error("the log filter `{0}` is not a list of `target=level`")]
    Filter(String, #[source] tracing_subscriber::filter::ParseError),
    /// Somebody set up a log before.
    #[error("the log is set up already")]
    Again(#[source] tracing::subscriber::SetGlobalDefaultError),
}

/// Checks a filter as [`init`] will read it.
///
/// # Errors
/// [`LogError::Filter`]
pub fn check_filter(filter: &str) -> Result<(), LogError> {
    parse_filter(filter).map(|_| ())
}

/// Sets up the log of the whole program. To be called once.
///
/// # Errors
/// [`LogError`] says what is wrong with the settings.
pub fn init(settings: &LogSettings) -> Result<(), LogError> {
    let subscriber = subscriber(settings, io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(LogError::Again)
}

fn parse_filter(filter: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|fault| LogError::Filter(filter.to_owned(), fault))
}

fn subscriber<W>(
    settings: &LogSettings,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parse_filter(&settings.filter)?)
        .with_writer(OneLine(writer))
        .with_ansi(false);
    Ok(match settings.format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

/// Makes writers that keep an event on its line: a field that is written with `Display` could end it early.
struct OneLine<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for OneLine<W> {
    type Writer = OneLineWriter<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        OneLineWriter(self.0.make_writer())
    }
}

/// Writes one event at a time; `tracing-subscriber` hands over each event whole.
struct OneLineWriter<W>(W);

impl<W: Write> Write for OneLineWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = event.strip_suffix(b"\n").unwrap_or(event);
        if line.iter().any(u8::is_ascii_control) {
            let escaped = line.iter().flat_map(|byte| match byte {
                byte if byte.is_ascii_control() => format!("\\x{byte:02x}").into_bytes(),
                byte => vec![*byte],
            });
            let mut escaped: Vec<u8> = escaped.collect();
            escaped.push(b'\n');
            self.0.write_all(&escaped)?;
        } else {
            self.0.write_all(event)?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let settings = LogSettings {
            format,
            ..LogSettings::default()
        };
        let subscriber = subscriber(&settings, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let evil = "a\r\nb\u{1b}[31m{\"level\":\"x\"}";
            tracing::info!(agent = %evil, other = evil, "one {evil} event");
            tracing::debug!("not logged");
        });
        String::from_utf8(lines.0.lock().clone()).unwrap()
    }

    #[test]
    fn every_event_is_one_line_in_either_format() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged(format);
            assert_eq!(text.matches('\n').count(), 1, "{text:?}");
            assert!(text.ends_with('\n'));
            assert!(!text.contains(['\r', '\u{1b}']), "{text:?}");
        }
        let event: serde_json::Value = serde_json::from_str(&logged(LogFormat::Json)).unwrap();
        assert_eq!(event["agent"], "a\r\nb\u{1b}[31m{\"level\":\"x\"}");
        assert_eq!(event["level"], "INFO");
    }

    #[test]
    fn refuses_what_is_not_a_filter() {
        assert!(check_filter("boomgate=debug,warn").is_ok());
        let fault = check_filter("boomgate=loud").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the log filter `boomgate=loud` is not a list of `target=level`"
        );
    }
}
