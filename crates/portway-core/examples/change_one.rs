//! How long it takes to change one route among many: `cargo run --release --example change_one`.
//! Arguments are the number of routes, and the number of hosts they are spread over.

use std::{
    env,
    time::{Duration, Instant},
};

use portway_config::{
    Catalog, Kind, Known, NoLookup, Problem, ResourceId, Resources,
    value::{Name, Quoted},
};
use portway_core::{Options, Server};

/// How often one is changed.
const CHANGES: usize = 40;

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    let (routes, hosts) = (arguments.next().unwrap_or(10_000), arguments.next().unwrap_or(100));
    if let Err(problems) = measure(routes, hosts).await {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        std::process::exit(1);
    }
}

async fn measure(routes: usize, hosts: usize) -> Result<(), Vec<Problem>> {
    let (catalog, known) = (Catalog::default(), Known::default());
    let mut resources = Resources::default();
    let settings = "probes: {bind: '127.0.0.1:0'}\nlisteners: [{name: web, bind: '127.0.0.1:0'}]";
    let settings = portway_config::load(settings, "settings.yaml", &NoLookup, &catalog)?;
    for number in 0..100 {
        let text = format!("{{\"url\": \"http://127.0.0.1:{}\"}}", 20_000 + number);
        put(&mut resources, Kind::Service, &format!("s{number}"), &text, &catalog)?;
    }
    for number in 0..routes {
        let text = route(number, hosts, 0);
        put(&mut resources, Kind::Route, &format!("r{number}"), &text, &catalog)?;
    }
    let begin = Instant::now();
    let loaded = portway_config::merge(&[&settings, &resources.loaded(&catalog)])?;
    let checked = loaded.check_knowing(&known)?;
    let mut known = checked.known().clone();
    let mut server =
        Server::start(checked, Options { cores: Some(2), ..Options::default() }).await?;
    println!("{routes} routes over {hosts} hosts; the first time: {:?}", begin.elapsed());

    let mut phases = [const { Vec::new() }; 5];
    for round in 1..=CHANGES {
        let number = (round * 7919) % routes;
        let mut at = Instant::now();
        let mut took = |phase: usize, phases: &mut [Vec<Duration>; 5]| {
            phases[phase].push(at.elapsed());
            at = Instant::now();
        };
        let mut changed = resources.clone();
        let text = route(number, hosts, round);
        put(&mut changed, Kind::Route, &format!("r{number}"), &text, &catalog)?;
        took(0, &mut phases);
        let loaded = portway_config::merge(&[&settings, &changed.loaded(&catalog)])?;
        took(1, &mut phases);
        let checked = loaded.check_knowing(&known)?;
        known = checked.known().clone();
        took(2, &mut phases);
        server.apply(checked).await?;
        took(3, &mut phases);
        resources = changed;
        took(4, &mut phases);
    }
    let mut whole: Vec<Duration> =
        (0..CHANGES).map(|round| phases.iter().map(|phase| phase[round]).sum()).collect();
    for (phase, name) in ["put", "merge", "check", "apply", "drop"].iter().enumerate() {
        tell(name, &mut phases[phase]);
    }
    tell("all", &mut whole);
    Ok(())
}

fn tell(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let last = times.len() - 1;
    println!("{name:>6}: p50 {:>10.2?}  p99 {:>10.2?}", times[last / 2], times[last * 99 / 100]);
}

fn route(number: usize, hosts: usize, round: usize) -> String {
    format!(
        "{{\"match\": {{\"hosts\": [\"h{}.example\"], \"path\": \"/r{number}/{round}/{{id}}\"}}, \
         \"target\": {{\"service\": \"s{}\"}}}}",
        number % hosts,
        number % 100,
    )
}

fn put(
    resources: &mut Resources,
    kind: Kind,
    name: &str,
    text: &str,
    catalog: &Catalog,
) -> Result<(), Vec<Problem>> {
    let name = name
        .parse()
        .map_err(|_| vec![Problem::new("bad_value", format!("{} is not a name", Quoted(name)))])?;
    let id = ResourceId { kind, namespace: Name::default(), name };
    resources.insert(portway_config::resource(text, "body.json", &id, &NoLookup, catalog)?);
    Ok(())
}
