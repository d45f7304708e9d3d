//! The guided set-up, in a terminal of its own: what is asked, what a wrong answer leads to, what is written.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The program behind a pseudo-terminal.
struct Dialog {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Dialog {
    fn start(folder: &std::path::Path, arguments: &[&str]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let path = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let noctty = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
        let terminal = || OpenOptions::new().read(true).write(true).custom_flags(noctty).open(&path).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_watchbell"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("TERM", "xterm")
            .stdin(Stdio::from(terminal()))
            .stdout(Stdio::from(terminal()))
            .stderr(Stdio::from(terminal()))
            .spawn()
            .unwrap();
        let keyboard = File::from(controller);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The terminal is gone when the program has ended.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, seen: String::new() }
    }

    /// Waits until this is on the screen, and forgets what came before.
    fn expect(&mut self, text: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.seen.contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("waiting for {text:?}: {error}; on the screen: {:?}", self.seen),
            }
        }
        let end = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..end);
    }

    fn answer(&mut self, text: &str) {
        // The prompt stands before the terminal's echo is off, and switching it off throws typed letters away.
        thread::sleep(Duration::from_millis(700));
        self.keyboard.write_all(format!("{text}\r").as_bytes()).unwrap();
    }
}

#[test]
fn the_guide_asks_and_a_wrong_answer_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut dialog = Dialog::start(folder.path(), &["--setup"]);
    dialog.expect("Where do findings go?");
    dialog.expect("webhook");
    // Up from the first is the last.
    dialog.answer("\u{1b}[A");
    dialog.expect("A name for it");
    dialog.answer("hook");
    dialog.expect("url:");
    dialog.expect("url:");
    dialog.answer("http://127.0.0.1:9/hunter2");
    dialog.expect("secret:");
    dialog.expect("secret:");
    dialog.answer("too-short");
    dialog.expect("more options");
    dialog.answer("n");
    dialog.expect("expected `whsec_`");
    dialog.expect("secret:");
    dialog.answer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    // A private address is not allowed unless the options say so, and the check says it.
    dialog.expect("fix: ");
    dialog.expect("Go on all the same?");
    dialog.answer("n");
    dialog.child.wait().unwrap();
    let written = fs::read_to_string(folder.path().join("watchbell.toml")).unwrap();
    assert!(written.contains("[sinks.hook]") && written.contains("type = \"webhook\""), "{written}");
    assert!(!written.contains("hunter2") && !written.contains("MfKQ9r8G"), "{written}");
    assert!(!dialog.seen.contains("hunter2"), "{}", dialog.seen);
}
