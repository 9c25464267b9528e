//! `push-images` beside plain `docker buildx build --push` with the same cache flags: one engine, one registry (the
//! local target's ECR), in turns, from sources that only differ in their bytes.

mod place;
mod sources;

use std::{
    process::Command,
    thread::available_parallelism,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, bail};
use serde_json::Value;

use super::measure::{Cost, measured, median};
use crate::{
    repository::{Repository, output},
    stdout,
};
use place::{IMAGES, Place};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often each is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    runs: u16,
    /// Build the command optimized, which compiles the AWS SDK once more
    #[arg(long)]
    release: bool,
    /// Only what it takes where nothing changed
    #[arg(long)]
    unchanged: bool,
}

const OURS: &str = "ours";
const BUILDX: &str = "buildx";

/// How often each tool is measured in turns where little or nothing changed, per run: what is compared is small, and the
/// engine's own times differ by more than it.
const TURNS: usize = 5;

/// What is measured, in seconds of wall time. The same place in two rows is the same turn, within which the machine was about
/// as fast for the one as for the other.
#[derive(Default)]
struct Times {
    ours: OfTool,
    buildx: OfTool,
    /// Of both images with one command of ours.
    at_once: Vec<f64>,
}

/// What both can do.
#[derive(Default)]
struct OfTool {
    /// Of one image, nothing of it there yet.
    cold: Vec<f64>,
    /// The same again.
    unchanged: Vec<f64>,
    /// The same after one file changed.
    changed: Vec<f64>,
    /// Of both images, one after the other.
    in_turn: Vec<f64>,
}

impl Times {
    fn of(&mut self, tool: &str) -> &mut OfTool {
        if tool == OURS { &mut self.ours } else { &mut self.buildx }
    }
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<()> {
    let place = Place::prepare(repository, args.release)?;
    let mut times = Times::default();
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut seeds =
        (1..).map(|number: u64| began.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number * 2));
    for run in 0..args.runs {
        eprintln!("run {} of {}", run + 1, args.runs);
        // What comes first may find a machine in another state than what follows it.
        let order = if run % 2 == 0 { [OURS, BUILDX] } else { [BUILDX, OURS] };
        one(&place, order, &mut seeds, &mut times, args.unchanged)?;
        if args.unchanged {
            continue;
        }
        for tool in order {
            let in_turn = in_turn(&place, tool, &mut seeds)?;
            times.of(tool).in_turn.push(in_turn);
        }
        times.at_once.push(at_once(&place, &mut seeds)?);
    }
    print(repository, args, &times)
}

/// One image: nothing there yet, nothing changed, one file changed.
fn one(
    place: &Place<'_>,
    order: [&str; 2],
    seeds: &mut impl Iterator<Item = u64>,
    times: &mut Times,
    only_unchanged: bool,
) -> Result<()> {
    let [.., (image, repository)] = IMAGES;
    let build = |tool: &str, made: &str| measure(place, tool, image, repository, made);
    for tool in order {
        place.source(tool, image).renew(place.repository, seeds.next().unwrap_or_default())?;
        times.of(tool).cold.push(build(tool, "built")?);
    }
    for tool in (0..TURNS).flat_map(|_| order) {
        times.of(tool).unchanged.push(build(tool, "unchanged")?);
    }
    if only_unchanged {
        return Ok(());
    }
    for tool in (0..TURNS).flat_map(|_| order) {
        place.source(tool, image).change(place.repository, seeds.next().unwrap_or_default())?;
        times.of(tool).changed.push(build(tool, "built")?);
    }
    Ok(())
}

/// Both images, one after the other, nothing of them there yet.
fn in_turn(place: &Place<'_>, tool: &str, seeds: &mut impl Iterator<Item = u64>) -> Result<f64> {
    renew_both(place, tool, seeds)?;
    IMAGES.iter().map(|(image, repository)| measure(place, tool, image, repository, "built")).sum()
}

/// Both images with one command, nothing of them there yet.
fn at_once(place: &Place<'_>, seeds: &mut impl Iterator<Item = u64>) -> Result<f64> {
    renew_both(place, OURS, seeds)?;
    ours(place, &place.push_images(None), "built")
}

fn renew_both(place: &Place<'_>, tool: &str, seeds: &mut impl Iterator<Item = u64>) -> Result<()> {
    IMAGES.iter().try_for_each(|(image, _)| {
        place.source(tool, image).renew(place.repository, seeds.next().unwrap_or_default())
    })
}

fn measure(place: &Place<'_>, tool: &str, image: &str, repository: &str, made: &str) -> Result<f64> {
    if tool == OURS {
        return ours(place, &place.push_images(Some(image)), made);
    }
    let (Cost { wall, .. }, _) = measured(place.repository, &place.python, &place.buildx(image, repository))?;
    Ok(wall)
}

/// Measures our command, which has to have done what it was to do.
fn ours(place: &Place<'_>, command: &Command, made: &str) -> Result<f64> {
    let (Cost { wall, .. }, printed) = measured(place.repository, &place.python, command)?;
    let document: Value = serde_json::from_str(&printed)?;
    let images = document.get("images").and_then(Value::as_array).cloned().unwrap_or_default();
    let as_wanted = |image: &Value| image.get("made").and_then(Value::as_str) == Some(made);
    if images.is_empty() || !images.iter().all(as_wanted) {
        bail!("wanted images that are {made}: {printed}");
    }
    Ok(wall)
}

fn print(repository: &Repository, args: &Args, times: &Times) -> Result<()> {
    let profile = if args.release { "release" } else { "dev" };
    let cores = available_parallelism().map_or(1, usize::from);
    stdout::line(format_args!(
        "push-images ({profile} build) beside `docker buildx build --push` ({}): one engine, one registry, the same \
         cache flags; medians of {} runs on {cores} cores, in seconds, and of the shares turn by turn",
        output(repository.command("docker").args(["buildx", "version"]))?,
        args.runs,
    ))?;
    stdout::line(sources::SHAPE)?;
    stdout::line(format_args!(
        "{:<36} {:>12} {:>12} {:>8}   asked",
        "one image", "push-images", "buildx", "share"
    ))?;
    let row = |name: &str, of: fn(&OfTool) -> &Vec<f64>, asked: &str| {
        let [ours, other] = [&times.ours, &times.buildx].map(of);
        stdout::line(format_args!(
            "{name:<36} {:>12.2} {:>12.2} {:>8.2}   {asked}",
            middle(ours),
            middle(other),
            share(ours, other)
        ))
    };
    row("nothing changed", |tool| &tool.unchanged, "at most 0.10")?;
    if args.unchanged {
        return row("nothing there yet", |tool| &tool.cold, "");
    }
    row("one file changed", |tool| &tool.changed, "at most 1.05")?;
    row("nothing there yet", |tool| &tool.cold, "")?;
    row("two images, one after the other", |tool| &tool.in_turn, "")?;
    let [at_once, in_turn] = [&times.at_once, &times.ours.in_turn];
    stdout::line(format_args!(
        "{:<36} {:>12.2} {:>12.2} {:>8.2}   at most 0.65 where the processor allows",
        "two at once, beside one after the other",
        middle(at_once),
        middle(in_turn),
        share(at_once, in_turn)
    ))
}

/// The median of what the one took of the other's time, turn by turn.
fn share(ours: &[f64], others: &[f64]) -> f64 {
    median(ours.iter().zip(others).map(|(own, other)| own / other))
}

fn middle(times: &[f64]) -> f64 {
    median(times.iter().copied())
}
