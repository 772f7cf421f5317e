//! Programs that the attributes take, and programs that they refuse with a message saved next to
//! each. They are compiled by `rustc` itself, against the library that was built for these tests:
//! a project of their own would build all dependencies a second time.
//!
//! | folder | what is in it | what is saved |
//! |---|---|---|
//! | `taken` | programs that compile | nothing |
//! | `refused` | what the attributes refuse | the whole message, with the place it points at |
//! | `rustc` | what the compiler refuses in the code that attributes write | each error's place and first line |
//!
//! `UPDATE_GOLDEN=1 cargo test --workspace --test macros` writes the messages anew.

mod compiler;

use std::{
    env, fs,
    path::{Path, PathBuf},
    thread,
};

use compiler::{Compiler, Form};

/// The programs of a folder, in their order.
fn programs(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(compiler::here().join(folder)).expect("a folder of programs");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut programs: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
    programs.sort();
    assert!(!programs.is_empty(), "{folder} has programs");
    programs
}

/// What is wrong with each program of a folder, by `check`, two at a time.
fn each(folder: &str, check: impl Fn(&Compiler, &Path) -> Option<String> + Sync) {
    let compiler = Compiler::find();
    let programs = programs(folder);
    let half = programs.len().div_ceil(2);
    let wrong: Vec<String> = thread::scope(|scope| {
        let (check, compiler) = (&check, &compiler);
        let threads: Vec<_> = programs
            .chunks(half)
            .map(|some| {
                scope.spawn(move || {
                    some.iter().filter_map(|one| check(compiler, one)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|one| one.join().expect("it does not panic")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The messages of a program against those that were saved.
fn as_saved(compiler: &Compiler, program: &Path, form: Form) -> Option<String> {
    let compiled = compiler.compile(program, form);
    if compiled.succeeded {
        return Some(format!("{} was not refused", program.display()));
    }
    let saved = program.with_extension("stderr");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&saved, compiled.messages).expect("the message can be written");
        return None;
    }
    let expected = fs::read_to_string(&saved).unwrap_or_default();
    (expected != compiled.messages).then(|| {
        format!(
            "{} is refused with other words (UPDATE_GOLDEN=1 writes them anew):\n{}\nand not\n{}",
            program.display(),
            compiled.messages,
            expected
        )
    })
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    each("refused", |compiler, program| as_saved(compiler, program, Form::Whole));
}

#[test]
fn what_the_compiler_finds_is_told_at_the_authors_own_words() {
    each("rustc", |compiler, program| as_saved(compiler, program, Form::Lines));
}

#[test]
fn what_is_right_is_taken() {
    each("taken", |compiler, program| {
        let compiled = compiler.compile(program, Form::Whole);
        (!compiled.succeeded)
            .then(|| format!("{} is refused:\n{}", program.display(), compiled.messages))
    });
}

#[test]
fn the_library_may_have_another_name() {
    let home = tempfile::tempdir().expect("a folder");
    let manifest = "[package]\nname = \"mine\"\nversion = \"1.0.0\"\n\n\
                    [dependencies]\ngateway = { package = \"portway\", version = \"*\" }\n";
    fs::write(home.path().join("Cargo.toml"), manifest).expect("a manifest");
    fs::create_dir(home.path().join("src")).expect("a folder");
    fs::write(home.path().join("src/lib.rs"), "").expect("a source");
    let text = fs::read_to_string(compiler::here().join("taken/all_arguments.rs"));
    let text = text.expect("a program").replace("portway", "gateway");
    let program = home.path().join("renamed.rs");
    fs::write(&program, text).expect("a program");
    let compiler = Compiler::find().called("gateway", home.path());
    let compiled = compiler.compile(&program, Form::Whole);
    assert!(compiled.succeeded, "{}", compiled.messages);
}
