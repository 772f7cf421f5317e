//! The compiler, with the library that cargo has built for this test.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// Where the programs are.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/macros")
}

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a person sees them.
    Whole,
    /// A line for each error, which does not change with the advice the compiler gives.
    Lines,
}

/// What came of a program.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) succeeded: bool,
    pub(crate) messages: String,
}

/// `rustc` and what it links programs to.
#[derive(Debug)]
pub(crate) struct Compiler {
    /// Where cargo puts libraries.
    libraries: PathBuf,
    portway: PathBuf,
    /// What the programs call it.
    name: &'static str,
    /// The package they belong to.
    package: PathBuf,
    out: tempfile::TempDir,
}

impl Compiler {
    /// Takes the library that stands beside this test. Older builds may stand there too, with parts
    /// that are gone by now: the newest that works is the one.
    pub(crate) fn find() -> Self {
        let test = env::current_exe().expect("the path of this test");
        let libraries = test.parent().expect("a folder").to_path_buf();
        let mut found: Vec<(SystemTime, PathBuf)> = fs::read_dir(&libraries)
            .expect("the folder of libraries")
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let name = path.file_name()?.to_str()?;
                let is_it = name.starts_with("libportway-") && name.ends_with(".rlib");
                Some((fs::metadata(&path).ok()?.modified().ok()?, path.clone())).filter(|_| is_it)
            })
            .collect();
        found.sort();
        let mut compiler = Self {
            libraries,
            portway: PathBuf::new(),
            name: "portway",
            package: env!("CARGO_MANIFEST_DIR").into(),
            out: tempfile::tempdir().expect("a folder"),
        };
        let probe = compiler.out.path().join("probe.rs");
        fs::write(&probe, "#[portway::hook]\npub async fn probe() {}\n").expect("a program");
        let mut messages = String::new();
        for (_, path) in found.into_iter().rev() {
            compiler.portway = path;
            let compiled = compiler.compile(&probe, Form::Whole);
            if compiled.succeeded {
                return compiler;
            }
            messages.push_str(&compiled.messages);
        }
        panic!("no library in {} works:\n{messages}", compiler.libraries.display());
    }

    /// The same where programs of `package` call the library `name`.
    pub(crate) fn called(self, name: &'static str, package: &Path) -> Self {
        Self { name, package: package.to_path_buf(), ..self }
    }

    /// Compiles a program as far as its types are known.
    pub(crate) fn compile(&self, program: &Path, form: Form) -> Compiled {
        let shown = program.strip_prefix(here()).unwrap_or(program);
        let out = self.out.path().join(shown.with_extension("rmeta").file_name().expect("a name"));
        let mut library = std::ffi::OsString::from(format!("{}=", self.name));
        library.push(&self.portway);
        let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        command
            .current_dir(here())
            .env("CARGO_MANIFEST_DIR", &self.package)
            .args(["--edition=2024", "--crate-type=lib", "--crate-name=program"])
            .args(["--emit=metadata", "--color=never", "--diagnostic-width=100"])
            .args(["-Dwarnings", "-Adead_code", "-Aunused_imports"])
            .arg("-L")
            .arg(format!("dependency={}", self.libraries.display()))
            .arg("--extern")
            .arg(library)
            .arg("-o")
            .arg(out)
            .arg(shown);
        if form == Form::Lines {
            command.arg("--error-format=short");
        }
        let output = command.output().expect("rustc runs");
        let messages = String::from_utf8_lossy(&output.stderr);
        Compiled { succeeded: output.status.success(), messages: lasting(&messages) }
    }
}

/// Messages without what another release of the compiler or another place would say otherwise.
fn lasting(messages: &str) -> String {
    let wanted = |line: &&str| {
        !line.starts_with("For more information about")
            && !line.starts_with("Some errors have detailed")
            && !line.contains("= note: this error originates in the attribute macro")
    };
    let lines = messages.lines().filter(wanted).map(|line| format!("{}\n", line.trim_end()));
    let text: String = lines.collect();
    format!("{}\n", text.trim_end())
}
