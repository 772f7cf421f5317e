//! Every example is run against real upstreams, and the `curl` lines in its head are typed as they
//! stand. What the lines after one say (`#> text`) must be in its output, in their order.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    path::Path,
};

use portway_testkit::{DEADLINE, Echo, Process, RunningEcho, Signal, within};
use tokio::process::Command;

/// Where examples say they listen, and where they say their upstreams are.
const ADDRESSES: [&str; 4] =
    ["127.0.0.1:8080", "127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9080"];

/// A line for a shell and what it must print.
#[derive(Debug)]
struct Line {
    command: String,
    prints: Vec<String>,
}

/// The lines in the head of a program.
fn lines(program: &Path) -> Vec<Line> {
    let text = fs::read_to_string(program).expect("a program");
    let head = text.lines().map_while(|line| line.strip_prefix("//!"));
    let mut lines: Vec<Line> = Vec::new();
    for line in head.map(str::trim) {
        if line.contains("curl ") && !line.starts_with('#') {
            lines.push(Line { command: line.to_owned(), prints: Vec::new() });
        } else if let Some(text) = line.strip_prefix("#> ") {
            let last = lines.last_mut().expect("a line of curl comes before what it prints");
            last.prints.push(text.to_owned());
        }
    }
    assert!(!lines.is_empty(), "{} has lines to try", program.display());
    for line in &lines {
        assert!(!line.prints.is_empty(), "it is said what this prints: {}", line.command);
    }
    lines
}

/// What stands around an example.
struct Place {
    address: SocketAddr,
    admin: SocketAddr,
    one: RunningEcho,
    two: RunningEcho,
}

/// What is wrong with an example.
async fn tried(name: &str, program: &Path, place: Place) -> io::Result<Vec<String>> {
    let Place { address, admin, one, two } = place;
    let executable = Path::new(env!("CARGO_BIN_EXE_hooks")).with_file_name(name);
    let mut command = Command::new(executable);
    command.env("LISTEN", address.to_string()).env("ADMIN", admin.to_string());
    command.env("UPSTREAM", one.url()).env("UPSTREAM_2", two.url());
    let mut example = Process::spawn(&mut command)?;
    let mut wrong = Vec::new();
    opened(&mut example, address).await?;
    let real = |text: &str| {
        let named = ADDRESSES.iter().zip([address, one.addr(), two.addr(), admin]);
        named.fold(text.to_owned(), |text, (name, real)| text.replace(name, &real.to_string()))
    };
    for Line { command, prints } in lines(program) {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(real(&command));
        let output = within(DEADLINE, &command, shell.output()).await?;
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut rest = output.as_str();
        for text in prints {
            match rest.split_once(&real(&text)) {
                Some((_, behind)) => rest = behind,
                None => {
                    wrong.push(format!("{name}: {command}\ndoes not print {text}\n{output}"));
                    break;
                }
            }
        }
    }
    // It ends as an operator would end it, and leaves nothing behind.
    example.signal(Signal::TERM)?;
    example.wait_exit(DEADLINE).await?;
    Ok(wrong)
}

async fn opened(example: &mut Process, address: SocketAddr) -> io::Result<()> {
    let connected = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if let Some(status) = example.try_exit()? {
                return Err(io::Error::other(format!("{status}: {:?}", example.stderr())));
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    within(DEADLINE, "example", connected).await
}

/// So many places, of whose addresses no two are the same: gateways share a port without a word.
async fn places(count: usize) -> io::Result<Vec<Place>> {
    let held: io::Result<Vec<_>> =
        (0..2 * count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let held = held?;
    let mut places = Vec::new();
    // Upstreams are there before the addresses are free again, so that none takes one of them.
    for held in held.chunks_exact(2) {
        places.push(Place {
            address: held[0].local_addr()?,
            admin: held[1].local_addr()?,
            one: Echo::anywhere().await?.named("one").spawn(),
            two: Echo::anywhere().await?.named("two").spawn(),
        });
    }
    Ok(places)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_prints_what_it_says() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let table = fs::read_to_string(folder.join("../../../README.md"))?;
    let programs: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    let places = places(programs.len()).await?;
    let mut trying = Vec::new();
    for (entry, place) in programs.into_iter().zip(places) {
        let path = entry.path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(table.contains(&format!("[`{name}`]")), "{name} is in the table of examples");
        trying.push(tokio::spawn(async move {
            let tried = tried(&name, &path, place).await;
            tried.map_err(|error| io::Error::other(format!("{name}: {error}")))
        }));
    }
    assert!(trying.len() > 10, "{} examples", trying.len());
    let mut wrong = Vec::new();
    for one in trying {
        match one.await.expect("it does not panic") {
            Ok(more) => wrong.extend(more),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}
