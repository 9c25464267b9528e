//! Which values a key takes, and what is said of the others.

use std::fmt::Write;

use leo_env::schema::Schema;

fn check(of: &str, value: &str) -> Result<(), String> {
    let text = format!("[AWS_PROFILE]\nhelp = 'h'\n{of}\n");
    let schema = Schema::parse(Schema::PATH, &text).unwrap_or_else(|findings| panic!("{findings:#?}"));
    schema.keys()[0].check(value).map_err(|malformed| {
        assert!(!malformed.wanted.is_empty());
        format!("{malformed} | {}", malformed.wanted)
    })
}

/// For each type: values that it takes, and values that it doesn't.
const TYPES: [(&str, &[&str], &[&str]); 14] = [
    ("type = 'string'", &["x", "two\nlines", "🦁"], &["a\0b"]),
    (
        "type = 'integer'",
        &["0", "-7", "9223372036854775807"],
        &["1.5", "+1", "0x1", "-", "9223372036854775808", "१"],
    ),
    ("type = 'integer'\nmin = 1\nmax = 10", &["1", "10"], &["0", "11", "-1", "ten"]),
    ("type = 'bool'", &["true", "false"], &["TRUE", "1", "yes"]),
    (
        "type = 'url'",
        &[
            "https://example.com",
            "http://localhost:8080/a?b#c",
            "postgres://user:pass@db:5432/x",
            "https://[::1]:80/",
            "wss://10.0.0.1/",
        ],
        &[
            "example.com",
            "https://",
            "https:///x",
            "://x",
            "https://a b",
            "https://a:0",
            "https://a:x",
            "https://[::1",
            "https://a..b",
            "text",
            "1s://a",
        ],
    ),
    ("type = 'region'", &["us-east-1", "us-gov-west-1"], &["us-east-1a", "US-EAST-1", "virginia"]),
    (
        "type = 'arn'",
        &["arn:aws:s3:::bucket", "arn:aws-cn:iam::123456789012:role/x"],
        &["arn:aws:s3", "x", "arn:aws:s3:x:y:z"],
    ),
    (
        "type = 'arn'\nservice = 'acm'",
        &["arn:aws:acm:us-east-1:123456789012:certificate/a"],
        &["arn:aws:iam::123456789012:role/x", "arn:aws:acm:us-east-1a:1:x"],
    ),
    ("type = 'cidr'", &["10.0.0.0/8", "::/0"], &["10.0.0.1", "10.0.0.1/8", "ten"]),
    (
        "type = 'host-name'",
        &["leo.example.com"],
        &["https://leo.example.com", "Leo.example.com", "leo", "10.0.0.1"],
    ),
    ("type = 'account-id'", &["123456789012"], &["1234-5678-9012", "12345678901"]),
    (
        "type = 'duration'",
        &["30s", "5m", "1h30m", "7d", "0s"],
        &["30", "s", "5x", "30m1h", "1h1h", "-1s", "1.5h", "5 m", "99999999999999999999d", "5ü"],
    ),
    ("type = 'choice'\nchoices = ['info', 'debug']", &["info", "debug"], &["Info", "in", "trace"]),
    ("pattern = 'Z[A-Z0-9]+'\nexample = 'Z1'", &["Z1", "ZZ"], &["z1", "Z1 ", "xZ1", "Z1\n"]),
];

#[test]
fn values_of_each_type() {
    let mut text = String::new();
    for (of, good, bad) in TYPES {
        writeln!(text, "── {}", of.replace('\n', ", ")).unwrap();
        for value in good {
            assert_eq!(check(of, value), Ok(()), "{of} {value:?}");
        }
        for value in bad {
            let said = check(of, value).expect_err(value);
            writeln!(text, "{value:?}: {said}").unwrap();
        }
        assert_eq!(check(of, ""), Ok(()), "an empty value is as good as none");
    }
    insta::assert_snapshot!(text);
}

/// No part of a message is a part of the value.
#[test]
fn a_message_never_quotes_the_value() {
    for (of, _, _) in TYPES {
        for value in
            ["hush-hush", "https://hush hush", "arn:hush", "arn:aws:hush:us-east-1::", "hush/8", "hu\0sh"]
        {
            if let Err(said) = check(of, value) {
                assert!(!said.contains("hush"), "{of}: {said}");
            }
        }
    }
}

#[test]
fn shapes_are_alternatives() {
    let text = "[X_TOKEN]\nprovider = 'x'\nconsumers = ['generator']\nhelp = 'h'\n\
                shapes = ['github-fine-grained-token', 'github-classic-token']\n";
    let schema = Schema::parse(Schema::PATH, text).unwrap();
    let key = &schema.keys()[0];
    let body = "0aZ9bY8cX7dW6eV5fU4gT3hS2iR1jQ0kPlOm";
    assert_eq!(key.check(&format!("ghp_{body}")), Ok(()));
    let said = |value: &str| {
        let malformed = key.check(value).unwrap_err();
        assert!(!malformed.what.contains(value) && !malformed.wanted.contains(body));
        format!("{} | {}", malformed.what, malformed.wanted)
    };
    let all =
        [format!("ghs_{body}"), format!("ghp_{}", &body[..20]), "sk-ant-api03-x".to_owned(), "x".to_owned()];
    insta::assert_snapshot!(all.map(|value| said(&value)).join("\n"), @r"
    is a GitHub app's token, not a fine-grained GitHub token or a classic GitHub token | github_pat_…; or ghp_…
    doesn't look like a fine-grained GitHub token or a classic GitHub token | github_pat_…; or ghp_…
    doesn't look like a fine-grained GitHub token or a classic GitHub token | github_pat_…; or ghp_…
    doesn't look like a fine-grained GitHub token or a classic GitHub token | github_pat_…; or ghp_…
    ");
}
