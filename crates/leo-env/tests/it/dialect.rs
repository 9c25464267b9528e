//! Each construct that somebody reads otherwise: what all of them read, asked of the real ones, and what is said.

use std::ffi::OsStr;

use insta::assert_snapshot;
use leo_diagnostic::{Colours, render_all};
use leo_env::{SecretsPolicy, differences};

use crate::{
    declared, env,
    readers::{docker, docker_model, program, shell},
};

/// A file, and what is read as `GITHUB_TOKEN`: here, by a shell, by `docker run --env-file`. `None` is nothing: the key is
/// not set, or the file is refused.
struct Case {
    text: &'static str,
    here: Option<&'static str>,
    shell: Option<&'static str>,
    docker: Option<&'static str>,
}

const fn case(
    text: &'static str,
    here: Option<&'static str>,
    shell: Option<&'static str>,
    docker: Option<&'static str>,
) -> Case {
    Case { text, here, shell, docker }
}

/// What everybody reads alike.
const ALIKE: &[(&str, &str)] = &[
    ("GITHUB_TOKEN=plain", "plain"),
    ("GITHUB_TOKEN=", ""),
    ("\n# a comment, isn't it? \"\n  # another\n  GITHUB_TOKEN=a\n\n", "a"),
    ("GITHUB_TOKEN=a#b", "a#b"),
    ("GITHUB_TOKEN=a=b==", "a=b=="),
    ("GITHUB_TOKEN=https://user@host:1/p/?q=1%20+2", "https://user@host:1/p/?q=1%20+2"),
    ("GITHUB_TOKEN=*?[a]!^{b,c}-_.,~a", "*?[a]!^{b,c}-_.,~a"),
    ("GITHUB_TOKEN=züri", "züri"),
];

const CASES: &[Case] = &[
    case("export GITHUB_TOKEN=a", Some("a"), Some("a"), None),
    case("GITHUB_TOKEN =a", Some("a"), None, None),
    case("GITHUB_TOKEN= a", Some("a"), None, Some(" a")),
    case("GITHUB_TOKEN='a'", Some("a"), Some("a"), Some("'a'")),
    case("GITHUB_TOKEN=\"a\"", Some("a"), Some("a"), Some("\"a\"")),
    case("GITHUB_TOKEN=''", Some(""), Some(""), Some("''")),
    case("GITHUB_TOKEN='a b'", Some("a b"), Some("a b"), Some("'a b'")),
    case("GITHUB_TOKEN='a $b \\n `c`'", Some("a $b \\n `c`"), Some("a $b \\n `c`"), Some("'a $b \\n `c`'")),
    case(
        "GITHUB_TOKEN=\"a\\\"b\\\\c\\$d\"",
        Some("a\"b\\c$d"),
        Some("a\"b\\c$d"),
        Some("\"a\\\"b\\\\c\\$d\""),
    ),
    case("GITHUB_TOKEN=\"a\\nb\"", Some("a\nb"), Some("a\\nb"), Some("\"a\\nb\"")),
    case("GITHUB_TOKEN=\"a\\'b\\ c\"", Some("a'b c"), Some("a\\'b\\ c"), Some("\"a\\'b\\ c\"")),
    case("GITHUB_TOKEN=a\"b c\"'d'", Some("ab cd"), Some("ab cd"), Some("a\"b c\"'d'")),
    case("GITHUB_TOKEN=a\\nb", Some("a\nb"), Some("anb"), Some("a\\nb")),
    case(
        "GITHUB_TOKEN=a\\ b\\'c\\\"d\\$e\\\\f",
        Some("a b'c\"d$e\\f"),
        Some("a b'c\"d$e\\f"),
        Some("a\\ b\\'c\\\"d\\$e\\\\f"),
    ),
    case("GITHUB_TOKEN=a`b`c", Some("a`b`c"), Some("ac"), Some("a`b`c")),
    case("GITHUB_TOKEN=\"a`b`c\"", Some("a`b`c"), Some("ac"), Some("\"a`b`c\"")),
    case("GITHUB_TOKEN=a;b", Some("a;b"), Some("a"), Some("a;b")),
    case("GITHUB_TOKEN=a&b", Some("a&b"), None, Some("a&b")),
    case("GITHUB_TOKEN=a|b", Some("a|b"), None, Some("a|b")),
    case("GITHUB_TOKEN=a>b", Some("a>b"), Some("a"), Some("a>b")),
    case("GITHUB_TOKEN=a(b)", Some("a(b)"), None, Some("a(b)")),
    case("GITHUB_TOKEN=~/a", Some("~/a"), Some("/people/somebody/a"), Some("~/a")),
    case("GITHUB_TOKEN=a:~/b", Some("a:~/b"), Some("a:/people/somebody/b"), Some("a:~/b")),
    case("GITHUB_TOKEN=a # b", Some("a"), Some("a"), Some("a # b")),
    case("GITHUB_TOKEN='a' # it's", Some("a"), Some("a"), Some("'a' # it's")),
    case("GITHUB_TOKEN= # a", Some(""), Some(""), Some(" # a")),
    case("GITHUB_TOKEN=#a", Some(""), Some("#a"), Some("#a")),
    case("GITHUB_TOKEN=a  ", Some("a"), Some("a"), Some("a  ")),
    case("GITHUB_TOKEN=  ", Some(""), Some(""), Some("  ")),
    case("GITHUB_TOKEN='a\nb'", Some("a\nb"), Some("a\nb"), Some("'a")),
    case("GITHUB_TOKEN='a\n b'", Some("a\n b"), Some("a\n b"), Some("'a")),
    case("\tGITHUB_TOKEN=a\t# b", Some("a"), Some("a"), Some("a\t# b")),
    case(
        "GITHUB_TOKEN='a\u{a0}b\u{200b}'",
        Some("a\u{a0}b\u{200b}"),
        Some("a\u{a0}b\u{200b}"),
        Some("'a\u{a0}b\u{200b}'"),
    ),
    case("GITHUB_TOKEN=a\r\n\r\n", Some("a"), Some("a\r"), Some("a")),
    case("\u{feff}GITHUB_TOKEN=a", Some("a"), None, Some("a")),
    // What is refused, because nobody agrees.
    case("GITHUB_TOKEN=a$HOME", None, Some("a/people/somebody"), Some("a$HOME")),
    case("GITHUB_TOKEN=\"a${HOME}\"", None, Some("a/people/somebody"), Some("\"a${HOME}\"")),
    case("GITHUB_TOKEN=a b", None, None, Some("a b")),
    case("GITHUB_TOKEN=a\\b", None, Some("ab"), Some("a\\b")),
    case("GITHUB_TOKEN=\"a\\b\"", None, Some("a\\b"), Some("\"a\\b\"")),
    case("GITHUB_TOKEN=a\\\nFLY_API_TOKEN=b", None, Some("aFLY_API_TOKEN=b"), Some("a\\")),
    case("GITHUB_TOKEN=a\\ ", None, Some("a "), Some("a\\ ")),
    case("GITHUB_TOKEN=a\\  # b", None, Some("a "), Some("a\\  # b")),
    case("GITHUB_TOKEN='a\\'", None, Some("a\\"), Some("'a\\'")),
    case("GITHUB_TOKEN='a\nFLY_API_TOKEN=b", None, None, Some("'a")),
    case("GITHUB_TOKEN='a\nFLY_API_TOKEN='b", None, Some("a\nFLY_API_TOKEN=b"), Some("'a")),
    case("GITHUB_TOKEN='a\nQUI='", Some("a\nQUI="), Some("a\nQUI="), Some("'a")),
    case("GITHUB_TOKEN='a\nFLY_API_TOKEN='b'", None, None, Some("'a")),
    case("GITHUB_TOKEN=a  # it's\nFLY_API_TOKEN=b", None, Some("a"), Some("a  # it's")),
    case("GITHUB_TOKEN=#it's\nFLY_API_TOKEN=b", None, None, Some("#it's")),
    case("GITHUB_TOKEN=a\u{a0}", None, Some("a\u{a0}"), Some("a\u{a0}")),
    case("GITHUB_TOKEN=a\u{1}b", None, Some("a\u{1}b"), Some("a\u{1}b")),
    case("GITHUB_TOKEN", None, None, None),
    case("\u{a0}\nGITHUB_TOKEN=a", Some("a"), Some("a"), Some("a")),
];

fn here(text: &str) -> Option<String> {
    let env = env(&[("env/.env", text)], &[], SecretsPolicy::Read);
    if let Some(value) = env.secret("GITHUB_TOKEN") {
        return Some(value.secret.expose().to_owned());
    }
    // An empty value is as good as none for a setting or a secret; whether there is one shows in what is said.
    let empty = env.check(declared()).is_empty() && text.contains("GITHUB_TOKEN") && text.contains('=');
    empty.then(String::new)
}

#[test]
fn what_has_no_finding_is_read_alike_by_everybody() {
    let sh = program("sh").unwrap();
    for (text, value) in ALIKE {
        assert_eq!(differences("env/.env", text), [], "{text}");
        assert_eq!(here(text).as_deref(), Some(*value), "{text}");
        assert_eq!(shell(&sh, text, &["GITHUB_TOKEN"]).unwrap()["GITHUB_TOKEN"], *value, "{text}");
        assert_eq!(docker_model(text).unwrap()["GITHUB_TOKEN"], *value, "{text}");
    }
}

#[test]
fn what_is_found_is_read_otherwise_by_somebody() {
    let shells: Vec<String> = ["sh", "bash"].into_iter().filter_map(program).collect();
    for Case { text, here: own, shell: in_shell, docker } in CASES {
        assert_eq!(here(text).as_deref(), *own, "{text:?}");
        for sh in &shells {
            // After a mistake in the file a shell stops, and some have set what stood before.
            let read = shell(sh, text, &["GITHUB_TOKEN"]).and_then(|all| all.get("GITHUB_TOKEN").cloned());
            assert_eq!(read.as_deref(), *in_shell, "{sh}: {text:?}");
        }
        let read = docker_model(text).and_then(|all| all.get("GITHUB_TOKEN").cloned());
        assert_eq!(read.as_deref(), *docker, "{text:?}");
    }
}

/// They look like what was meant, and came along when the value was copied.
#[test]
fn characters_that_were_not_meant_are_told() {
    let said = |text: &str| -> Vec<String> {
        let refused = env(&[("env/.env", text)], &[], SecretsPolicy::Read).check(declared());
        let needless = "quotes";
        let all = refused.into_iter().chain(differences("env/.env", text)).map(|finding| finding.message);
        all.filter(|message| !message.contains(needless)).collect()
    };
    for c in ['\u{3164}', '\u{2800}', '\u{fe0f}', '\u{e0041}', '\u{61c}', '\u{34f}', '\u{200b}'] {
        assert_eq!(said(&format!("GITHUB_TOKEN=a{c}\n")), ["the line holds a character that can't be seen"]);
        let quoted =
            "a character in the value that can't be seen: it looks like a space or like nothing, and is kept";
        assert_eq!(said(&format!("GITHUB_TOKEN='a{c}b'\n")), [quoted]);
    }
    let typographic =
        "a typographic quote where the value begins or ends: nobody takes it for a quote, and it is kept";
    for value in ["“a”", "‘a", "a’", "«a»", "'“a b”'", "\"„a“\"", "“a” # why", "\\'a”"]
    {
        assert!(said(&format!("GITHUB_TOKEN={value}\n")).contains(&typographic.to_owned()), "{value}");
    }
    for value in ["a“b”c", "'it’s one'", "a # “why”"] {
        assert!(!said(&format!("GITHUB_TOKEN={value}\n")).contains(&typographic.to_owned()), "{value}");
    }
}

#[test]
fn each_says_who_reads_it_how() {
    let said = |Case { text, .. }: &Case| {
        let findings = differences("env/.env", text);
        let refused = env(&[("env/.env", text)], &[], SecretsPolicy::Read).check(declared());
        assert!(!findings.is_empty() || !refused.is_empty(), "{text:?}");
        let said = render_all(&[refused, findings].concat(), Colours::Plain);
        format!("──── {}\n{said}\n", text.escape_debug())
    };
    let mut all: Vec<String> = CASES.iter().map(said).collect();
    let long = format!("GITHUB_TOKEN={}\n", "a".repeat(65_536));
    all.push(format!("──── long\n{}", render_all(&differences("env/.env", &long), Colours::Plain)));
    assert_snapshot!(all.concat());
}

/// The `docker` program alone, without an engine.
#[test]
fn docker_itself_reads_as_we_say() {
    let Some(program) = program("docker") else {
        assert!(std::env::var_os("LEO_REQUIRE_ALL").is_none_or(|all| all != "1"), "no docker program");
        eprintln!("skipped: no docker program");
        return;
    };
    let alike = ALIKE.iter().map(|(text, _)| *text);
    for text in alike.chain(CASES.iter().map(|case| case.text)) {
        assert_eq!(docker(OsStr::new(&program), text), docker_model(text), "{text:?}");
    }
}
