//! Detection rules as users meet them: those that ship, and the commands around rules.

mod commands;
mod shipped;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        name.to_owned()
    }

    /// Runs the program here.
    fn run(&self, arguments: &[&str]) -> Ran {
        run_in(self.folder.path(), arguments)
    }

    /// A configuration with a sink named `soc` that sends to Google SecOps, and these options.
    fn configure(&self, options: &str) {
        let sink = "[sinks.soc]\ntype = \"chronicle\"\nproject = \"p-example\"\nlocation = \"us\"\n\
            instance = \"11111111-2222-3333-4444-555555555555\"\nauth = \"application_default\"\n";
        self.write("watchbell.toml", &format!("{sink}{options}"));
    }
}

fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchbell"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
