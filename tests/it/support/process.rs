//! The `boomgate` command, or another one, as a process of its own.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::client::PATIENCE;

/// A process, which is that of the binary that this build made unless a test says otherwise; it ends with this value.
pub(crate) struct Process {
    child: Child,
    stdout: Output,
    stderr: Output,
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be ended again.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::of(command(arguments))
    }

    /// The same, for whom permissions of files hold, whoever runs the tests.
    pub(crate) fn start_confined(arguments: &[&str]) -> Self {
        let plain = command(arguments);
        let mut confined = Command::new("setpriv");
        confined
            .arg("--bounding-set=-dac_override,-dac_read_search")
            .arg(plain.get_program())
            .args(plain.get_args());
        Self::of(confined)
    }

    /// Starts a command that ends in the binary, or in another one.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdout: Output::of(child.stdout.take().unwrap()),
            stderr: Output::of(child.stderr.take().unwrap()),
            child,
        }
    }

    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until the condition holds; fails with the output when it does not, or the process ends before.
    pub(crate) async fn until(&mut self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let patience = Instant::now() + PATIENCE;
        while !holds(self).await {
            let runs = self.child.try_wait().unwrap().is_none();
            assert!(
                runs && Instant::now() < patience,
                "waited in vain until {what}:\n{}\n{}",
                self.stdout(),
                self.stderr()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its number; a shell's, where that becomes the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end; gives how it ended. All that it wrote can be read then.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.stdout.finish();
                self.stderr.finish();
                return status;
            }
            assert!(
                Instant::now() < patience,
                "goes on and on:\n{}",
                self.stderr()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Memory of a process in KiB, by the name that the kernel has for it: `VmRSS`, `RssAnon`.
pub(crate) fn memory_kib(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with(&format!("{name}:")));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// What a process that ran to its end left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    ended(&mut command(arguments))
}

/// The same with an environment variable and in a folder.
pub(crate) fn run_in(folder: &Path, variable: (&str, &str), arguments: &[&str]) -> Ended {
    let (name, value) = variable;
    ended(command(arguments).current_dir(folder).env(name, value))
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The binary with these arguments, and none of the variables that it reads. It is that of this build, unless
/// `BOOMGATE_BINARY` names another: that of a release, for long runs.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let built = env!("CARGO_BIN_EXE_boomgate").into();
    let mut command = Command::new(std::env::var_os("BOOMGATE_BINARY").unwrap_or(built));
    command.args(arguments);
    for variable in [
        "BOOMGATE_CONFIG",
        "BOOMGATE_MANAGEMENT",
        "BOOMGATE_CA_FILE",
        "BOOMGATE_ADMIN_TOKEN_FILE",
        "BOOMGATE_CLIENT_CERTIFICATE_FILE",
        "BOOMGATE_CLIENT_KEY_FILE",
    ] {
        command.env_remove(variable);
    }
    command
}

/// The address of a listener, as the log says it.
pub(crate) fn listening_at(log: &str, listener: &str) -> Option<SocketAddr> {
    let names = [
        format!("listener={listener} "),
        format!("listener=\"{listener}\" "),
    ];
    let is_of = |line: &&str| names.iter().any(|name| line.contains(name));
    let line = log.lines().find(is_of)?;
    let (_, address) = line.split_once("address=")?;
    address.split_whitespace().next()?.parse().ok()
}

/// What comes out of a pipe, collected by a thread of its own, so that the process never waits for a reader.
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let into = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                into.lock().extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            bytes,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock()).into_owned()
    }

    /// Waits for the last of it.
    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }
}
