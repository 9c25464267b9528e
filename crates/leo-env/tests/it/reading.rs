//! Generated files: what is accepted is read as the format's description says, as `dotenvy` reads the whole file, and,
//! where nothing else is said, as a shell and Docker read it.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use leo_diagnostic::Diagnostic;
use leo_env::{Env, SecretsPolicy, differences};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

use crate::{
    KEYS, declared, env,
    readers::{docker_model, dotenvy_whole, program, shell},
};

/// The same files each time in the short version, ten thousand new ones in the long one.
fn runner() -> TestRunner {
    let full = std::env::var_os("LEO_FULL").is_some_and(|full| full == "1");
    let (cases, rng_seed) = if full { (10_000, RngSeed::Random) } else { (400, RngSeed::Fixed(5)) };
    TestRunner::new(Config { cases, rng_seed, failure_persistence: None, ..Config::default() })
}

fn read(text: &str) -> Env {
    env(&[("env/.env", text)], &[], SecretsPolicy::Read)
}

fn values(env: &Env) -> BTreeMap<String, String> {
    let value = |key: &&str| Some(((*key).to_owned(), env.secret(key)?.secret.expose().to_owned()));
    KEYS.iter().filter_map(value).collect()
}

/// Without what is empty: that is as good as none.
fn filled(all: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// A part of a value: how it is written, and what it stands for.
#[derive(Clone, Debug)]
struct Part {
    written: String,
    means: String,
}

fn part(written: impl Into<String>, means: impl Into<String>) -> Part {
    Part { written: written.into(), means: means.into() }
}

/// One character of an alphabet, written with a backslash where the format wants one.
fn escaped(alphabet: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = Part> {
    prop::collection::vec(prop::sample::select(alphabet), 1..8).prop_map(|all| {
        let (written, means): (Vec<&str>, Vec<&str>) = all.into_iter().unzip();
        part(written.concat(), means.concat())
    })
}

const PLAIN: &[(&str, &str)] = &[
    ("a", "a"),
    ("Z", "Z"),
    ("0", "0"),
    ("-_.", "-_."),
    ("/", "/"),
    (":", ":"),
    ("=", "="),
    ("@", "@"),
    ("ü", "ü"),
    (",", ","),
    ("*", "*"),
    ("{}", "{}"),
    ("~", "~"),
    (";", ";"),
    ("`", "`"),
    ("x#", "x#"),
    ("\\\\", "\\"),
    ("\\'", "'"),
    ("\\\"", "\""),
    ("\\$", "$"),
    ("\\ x", " x"),
    ("\\n", "\n"),
];

const IN_DOUBLE: &[(&str, &str)] = &[
    ("a", "a"),
    (" ", " "),
    ("'", "'"),
    ("#", "#"),
    (" # ", " # "),
    ("\n", "\n"),
    ("=", "="),
    ("ü", "ü"),
    ("\\\\", "\\"),
    ("\\\"", "\""),
    ("\\$", "$"),
    ("\\n", "\n"),
    ("\\'", "'"),
    ("\\ ", " "),
    ("`", "`"),
    ("\t", "\t"),
];

const IN_SINGLE: &[(&str, &str)] = &[
    ("a", "a"),
    (" ", " "),
    ("\"", "\""),
    ("#", "#"),
    (" # ", " # "),
    ("\n", "\n"),
    ("$HOME", "$HOME"),
    ("=", "="),
    ("\\n", "\\n"),
    ("\\a", "\\a"),
    ("`", "`"),
    ("é", "é"),
    ("\t", "\t"),
];

fn quoted(
    quote: &'static str,
    alphabet: &'static [(&'static str, &'static str)],
) -> impl Strategy<Value = Part> {
    escaped(alphabet).prop_map(move |inner| part(format!("{quote}{}{quote}", inner.written), inner.means))
}

/// An entry as the format's description has it, for one key, and its value.
fn entry(key: &'static str) -> impl Strategy<Value = (String, String, String)> {
    let parts = prop::collection::vec(
        prop_oneof![3 => escaped(PLAIN), 1 => quoted("\"", IN_DOUBLE), 1 => quoted("'", IN_SINGLE)],
        0..4,
    );
    let before = prop::sample::select(
        &["", "  ", "export ", "\t", "# it's \" a comment\n", "\n \n", " export   "][..],
    );
    let equals = prop::sample::select(&["=", "=", "=", " = ", "=  ", "\t="][..]);
    let behind =
        prop::sample::select(&["", "", "", " ", "  ", " # a comment", " #", "\t# another", "   # last"][..]);
    let end = prop::sample::select(&["\n", "\n", "\r\n"][..]);
    (before, equals, parts, behind, end).prop_map(move |(before, equals, parts, behind, end)| {
        let written: String = parts.iter().map(|part| part.written.as_str()).collect();
        let means: String = parts.iter().map(|part| part.means.as_str()).collect();
        (key.to_owned(), format!("{before}{key}{equals}{written}{behind}{end}"), means)
    })
}

/// What of the description is refused for being read otherwise elsewhere.
fn is_refused(findings: &[Diagnostic]) -> bool {
    findings.iter().any(Diagnostic::is_error)
}

#[test]
fn what_the_format_describes_is_read_as_it_says() {
    let files = (entry(KEYS[0]), entry(KEYS[1]));
    runner()
        .run(&files, |(first, second)| {
            let text = format!("{}{}", first.1, second.1);
            let env = read(&text);
            prop_assert!(!is_refused(&env.check(declared())), "{text:?}: {:?}", env.check(declared()));
            let wanted = filled([(first.0, first.2), (second.0, second.2)]);
            prop_assert_eq!(values(&env), wanted, "{:?}", text);
            Ok(())
        })
        .unwrap();
}

/// Lines that are mostly right, with something in them that confuses.
fn confusing() -> impl Strategy<Value = String> {
    let value = prop::collection::vec(
        prop::sample::select(
            &[
                "a", "b", "1", "Z", "-", "_", "/", ":", ".", "=", "ü", "a", "b", "c", "0", "~", "#", " ",
                "'", "\"", "\\", "\t", ";", "&", "|", "<", ">", "(", ")", "`", "!", "*", "?", "[", "]", "{",
                "}", "^", "%", "+", ",", "\\n", "\\ ", "''", "\"\"", "'a b'", "\"a b\"", " # c", "  # it's",
                "\u{a0}", "\r", "$", "\n", "\nAB=", "\u{200b}",
            ][..],
        ),
        0..7,
    )
    .prop_map(|pieces| pieces.concat());
    let tame = "[a-zA-Z0-9/_.:@%+=,-]{0,12}";
    let line = |key: &'static str| {
        let before = mostly("", &[" ", "# it's\n", "#\n\n", "export ", "\t", "don't\n", "\r\n"]);
        let equals = mostly("=", &["= ", " =", "", "==", " = "]);
        let end = mostly("\n", &["\r\n", "", " \n", " # it\n"]);
        (before, equals, prop_oneof![2 => tame.prop_map(String::from), 1 => value.clone()], end)
            .prop_map(move |(before, equals, value, end)| format!("{before}{key}{equals}{value}{end}"))
    };
    (mostly("", &["\u{feff}"]), line(KEYS[0]), line(KEYS[1]))
        .prop_map(|(mark, one, two)| format!("{mark}{one}{two}"))
}

fn mostly(usual: &'static str, others: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => Just(usual), 1 => prop::sample::select(others)]
}

#[test]
fn what_is_not_found_is_read_alike_by_everybody() {
    let sh = program("sh").unwrap();
    let (clean, in_shell, in_docker, in_dotenvy) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |cell: &Cell<u32>| cell.set(cell.get() + 1);
    runner()
        .run(&confusing(), |text| {
            let env = read(&text);
            if !env.check(declared()).is_empty() {
                return Ok(());
            }
            let own = values(&env);
            let found = differences("env/.env", &text);
            let says = |who: &str| found.iter().any(|finding| finding.message.contains(who));
            if found.is_empty() {
                count(&clean);
            }
            // `dotenvy`'s iterator takes a mark for a part of the first key, and wants the last line ended.
            let whole = format!("{}\n", text.trim_start_matches('\u{feff}'));
            let all = dotenvy_whole(&whole)
                .map_err(|_| TestCaseError::fail(format!("dotenvy refuses {text:?}")))?;
            prop_assert_eq!(filled(all), own.clone(), "dotenvy: {:?}", text);
            count(&in_dotenvy);
            if !says("a shell") {
                prop_assert_eq!(shell(&sh, &text, &KEYS).map(filled), Some(own.clone()), "sh: {:?}", text);
                count(&in_shell);
            }
            if !says("docker run") {
                prop_assert_eq!(docker_model(&text).map(filled), Some(own), "docker: {:?}", text);
                count(&in_docker);
            }
            Ok(())
        })
        .unwrap();
    for (what, cell) in [("clean", clean), ("sh", in_shell), ("docker", in_docker), ("dotenvy", in_dotenvy)] {
        assert!(cell.get() >= 100, "only {} files for {what}", cell.get());
    }
}

/// Bytes of any kind, and pieces of files.
fn anything() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(
            &["GITHUB_TOKEN=", "AWS_REGION=", "FLY_API_TOKEN", "export ", "'", "\"", "\\", "#", " ", "\n", "\r\n", "\r", "$",
                "${HOME}", "=", "ü", "a", "\0", "\t", "\u{feff}", "\u{2028}", "\u{a0}", "`"][..],
        )
        .prop_map(String::from),
        1 => "\\PC{0,6}",
        1 => prop::collection::vec(any::<char>(), 0..6).prop_map(|all| all.into_iter().collect()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

#[test]
fn no_file_makes_it_panic_or_loses_a_line_that_is_right() {
    let last = "AWS_PROFILE=last";
    runner()
        .run(&anything(), |text| {
            let lines = text.trim_start_matches('\u{feff}').split('\n').count();
            let env = read(&text);
            for finding in env.check(declared()).into_iter().chain(differences("env/.env", &text)) {
                let line = finding.location.map_or(1, |location| location.line);
                prop_assert!((1..=lines).contains(&line), "line {} of {}", line, lines);
            }
            // A line below whatever that was is read as it is written; at worst it is said that it is there twice.
            let below = read(&format!("{text}\n{last}\n"));
            let profile = below.get(leo_env::Setting::Profile).map(|value| value.value.as_str());
            prop_assert_eq!(profile, Some("last"), "{:?}", text);
            Ok(())
        })
        .unwrap();
}

/// Quotes, backslashes and line ends by the hundred thousand: the time grows with the length, not with its square.
#[test]
fn a_large_file_is_read_at_once() {
    for piece in [
        "'",
        "\"",
        "\\",
        "GITHUB_TOKEN='a\n",
        "GITHUB_TOKEN=\"\\\"\n",
        "a'b\"\n",
        "=\n",
        "GITHUB_TOKEN=a b\n",
    ] {
        let time = |bytes: usize| {
            let text = piece.repeat(bytes / piece.len());
            let started = std::time::Instant::now();
            read(&text);
            differences("env/.env", &text);
            started.elapsed()
        };
        let (short, long) = (time(5_000), time(25_000));
        assert!(long < 15 * short + Duration::from_secs(1), "{piece:?}: {short:?} and {long:?}");
    }
}

/// The same of a key a line, each of them wrong.
#[test]
fn what_is_wrong_with_many_lines_is_found_at_once() {
    for value in ["\"x", "x"] {
        let time = |lines: usize| {
            let text: Vec<String> = (0..lines).map(|line| format!("A{line}={value}")).collect();
            let text = text.join("\n");
            let started = std::time::Instant::now();
            let env = read(&text);
            assert!(env.check(declared()).len() * 2 >= lines);
            started.elapsed()
        };
        let (short, long) = (time(1_000), time(5_000));
        assert!(long < 15 * short + Duration::from_secs(1), "{value:?}: {short:?} and {long:?}");
    }
}
