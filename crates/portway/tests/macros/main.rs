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
use portway::plugin::value::{ByteSize, Duration};

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

/// Durations and sizes, right ones and wrong ones.
const MEASURES: &[&str] = &[
    "",
    "0",
    "0s",
    "00",
    "5",
    "5s",
    "500ms",
    "90s",
    "1m30s",
    "1h2m3s4ms",
    "30s1m",
    "5s5s",
    "ms",
    "5 s",
    " 5s",
    "5S",
    "1.5s",
    "-5s",
    "+5s",
    "5sec",
    "2d",
    "٥s",
    "off",
    "5 parsecs",
    "87600h",
    "87601h",
    "87600h1ms",
    "99999999999999999999h",
    "18446744073709551615h",
    "512B",
    "64KiB",
    "10MB",
    "10KB",
    "1GiB",
    "1GB",
    "1TiB",
    "1TB",
    "1KIB",
    "1kb",
    "10 mb",
    "64k",
    "KiB",
    "-1",
    "1.5MB",
    "٥B",
    "18446744073709551615",
    "18446744073709551616",
    "16777215TiB",
    "16777216TiB",
    "1KiB1B",
];

/// The macros have a grammar of their own, for they see no other crate of the house.
#[test]
fn macros_and_configurations_take_the_same_measures() {
    let home = tempfile::tempdir().expect("a folder");
    let compiler = Compiler::find();
    let refused = |argument: &str| -> Vec<&str> {
        let routes = MEASURES.iter().enumerate().map(|(at, text)| {
            format!("    #[portway::get(\"/{at}\", {argument} = {text:?})] async fn r{at}() {{}}\n")
        });
        let text =
            format!("#[portway::service]\nmod routes {{\n{}}}\n", routes.collect::<String>());
        let program = home.path().join(format!("{argument}.rs"));
        fs::write(&program, text).expect("a program");
        let messages = compiler.compile(&program, Form::Lines).messages;
        // The routes begin in the third line, one in each.
        let line = |message: &str| -> Option<usize> {
            let (_, place) = message.split_once(".rs:")?;
            place.split(':').next()?.parse().ok()
        };
        messages.lines().filter_map(line).map(|line| MEASURES[line - 3]).collect()
    };
    let wrong = |is_right: fn(&str) -> bool| -> Vec<&str> {
        MEASURES.iter().copied().filter(|text| !is_right(text)).collect()
    };
    assert_eq!(refused("timeout"), wrong(|text| text.parse::<Duration>().is_ok()));
    assert_eq!(refused("body_limit"), wrong(|text| text.parse::<ByteSize>().is_ok()));
}
