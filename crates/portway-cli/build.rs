//! Tells the executable which commit it was built from, when, and by which compiler. What cannot
//! be found out is `unknown`: a source archive has no history.

use std::{
    env,
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    follow_head();
    let commit = says("git", &["rev-parse", "--short=12", "HEAD"]);
    let compiler = env::var("RUSTC").ok().and_then(|rustc| says(&rustc, &["--version"]));
    let rust = compiler.as_deref().and_then(|text| text.split(' ').nth(1));
    let unknown = "unknown";
    println!("cargo:rustc-env=PORTWAY_COMMIT={}", commit.as_deref().unwrap_or(unknown));
    println!("cargo:rustc-env=PORTWAY_BUILD_TIME={}", rfc3339(build_seconds()));
    println!("cargo:rustc-env=PORTWAY_RUST={}", rust.unwrap_or(unknown));
}

/// Builds anew when another commit is checked out.
fn follow_head() {
    let branch = says("git", &["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        // A path that does not exist would make every build anew.
        let path = says("git", &["rev-parse", "--git-path", name]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
}

/// What a program prints, without the end of the line.
fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

/// Now, unless the build is to be the same whenever it is made
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
fn build_seconds() -> u64 {
    let fixed = env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    fixed.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    })
}

/// Seconds since 1970 as RFC 3339 writes them in UTC.
fn rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut day) = (1970, days);
    while day >= days_of_year(year) {
        day -= days_of_year(year);
        year += 1;
    }
    let february = days_of_year(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", day + 1)
}

fn days_of_year(year: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    365 + u64::from(leap)
}
