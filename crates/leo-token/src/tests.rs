use crate::{Shape, describe, find, looks_secret};

/// Characters that look like chance, from an alphabet.
fn chance(alphabet: &str, length: usize, seed: u64) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut random = fastrand::Rng::with_seed(seed * 1000 + length as u64);
    (0..length).map(|_| alphabet[random.usize(..alphabet.len())]).collect()
}

const ANY: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const BASE64: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
const BASE64_URL: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
const HEX: &str = "0123456789abcdef";

fn any(length: usize) -> String {
    chance(ANY, length, 1)
}

fn jwt(role: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let payload =
        format!(r#"{{"iss":"supabase","ref":"abcdefghijklmnopqrst","role":"{role}","iat":1,"exp":2}}"#);
    format!("{}.{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(&payload), any(43))
}

#[test]
fn a_token_is_found_with_its_whole_range() {
    let (github, slack) = (format!("ghp_{}", any(36)), format!("xoxb-{}", any(60)));
    let openai = format!("sk-proj-{}T3BlbkFJ{}", any(40), any(40));
    let key = format!("-----BEGIN {}PRIVATE KEY-----\n{}\n", "RSA ", any(64));
    let text =
        format!("ü a={github}, b: \"{slack}\" {openai}; {key}-----END RSA PRIVATE KEY----- AKIA ghp_x\n");
    let all: Vec<(&str, &str)> =
        find(&text).into_iter().map(|found| (found.what, &text[found.range])).collect();
    assert_eq!(
        all,
        [
            ("a GitHub token", github.as_str()),
            ("a Slack token", slack.as_str()),
            ("an OpenAI API key", openai.as_str()),
            ("a private key", key.as_str()),
        ]
    );
    let named = format!("aws_secret_access_key = {}", any(40));
    assert_eq!(find(&format!("x {named} y"))[0].range, 2..2 + named.len());
}

#[test]
fn a_range_never_cuts_a_character() {
    let text = format!("-----BEGIN {}-----\n{}\n{}", "PRIVATE KEY", any(64), "ü".repeat(3000));
    for found in find(&text) {
        assert!(text.get(found.range).is_some());
    }
}

#[test]
fn keys_without_a_known_shape_are_told_by_chance() {
    let mut missed = Vec::new();
    let mut total = 0;
    for seed in 0..500 {
        for (alphabet, length) in [
            (ANY, 24),
            (ANY, 32),
            (ANY, 64),
            (BASE64, 40),
            (BASE64, 44),
            (BASE64_URL, 32),
            (BASE64_URL, 43),
            (HEX, 32),
            (HEX, 40),
            (HEX, 64),
            ("abcdefghijklmnopqrstuvwxyz0123456789", 32),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32),
        ] {
            let key = chance(alphabet, length, seed);
            total += 1;
            if looks_secret(&key).is_none() {
                missed.push(key);
            }
        }
    }
    // What repeats or counts up by chance, or has its punctuation in bad places, is missed.
    assert!(missed.len() * 20 < total, "{} of {total} missed, as {:?}", missed.len(), &missed[..20]);
}

#[test]
fn what_is_public_does_not_look_secret() {
    let digest = chance(HEX, 64, 3);
    for value in [
        "",
        "dev",
        "us-east-1",
        "123456789012",
        "true",
        "300s",
        "leo-dev",
        "10.0.0.0/16",
        "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-4e5f-6789-abcd-ef0123456789",
        "arn:aws:ecs:us-east-1:123456789012:task/leo-dev/0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo/dev/github-AbC1d2",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/leo-dev/50dc6c495c0c9188",
        "arn:aws:cloudformation:us-east-1:123456789012:stack/leo-dev-platform/6f0c1a70-8f5e-11ef-9f2b-0affd0a1b2c3",
        "leo-dev-123456789012.us-east-1.elb.amazonaws.com",
        "https://leo-dev-alb-1234567890.us-east-1.elb.amazonaws.com/path?x=1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/leo/orchestrator",
        "d111111abcdef8.cloudfront.net",
        "Z0123456789ABCDEFGHIJ",
        "Z09876543AB1CDEFG2H3",
        "sg-0a1b2c3d4e5f67890",
        "subnet-0a1b2c3d4e5f67890,subnet-0f9e8d7c6b5a43210",
        "vpc-0a1b2c3d4e5f67890",
        "leo-dev-artifacts-123456789012-us-east-1",
        "leo-dev-platform-artifactsbucket2ab1c3d4-1x2y3z4a5b6c",
        "LeoDevPlatform-OrchestratorServiceTaskDefinition-1A2B3C4D5E6F7",
        "/ecs/leo-dev/orchestrator",
        "/aws/ecs/containerinsights/Leo-Dev/performance",
        "6f0c1a70-8f5e-11ef-9f2b-0affd0a1b2c3",
        "us-east-1_AbCdEfGhI",
        "OrchestratorLoadBalancerTargetGroupHttpListener",
        "https://abcdefghijklmnopqrst.supabase.co",
        "ThisIsARatherLongNameOfSomethingThatNobodyWouldCallAKey",
        "2026-11-22T21:47:15.123456Z",
        "the quick brown fox jumps over the lazy dog, 12 times",
        "postgres://localhost:5432/db",
        "https://user@example.com/x",
        "mailto:someone@example.com",
        "postgres://user:${PASSWORD}@host/db",
        "rust-v1.95.0-x86_64-unknown-linux-gnu",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "<your token here>",
        &format!("leo/orchestrator@sha256:{digest}"),
        &format!("sha256:{digest}"),
        &format!("src-{digest}"),
        &format!("git-{}-amd64", chance(HEX, 40, 4)),
        &format!("sha512-{}==", chance(BASE64, 86, 5)),
        &"x".repeat(64),
    ] {
        assert_eq!(looks_secret(value), None, "{value}");
    }
}

#[test]
fn what_a_secret_looks_like_is_said_without_it() {
    let random = any(40);
    for (value, wanted) in [
        (format!("github_pat_{}_{}", any(22), any(59)), "a GitHub token"),
        (jwt("service_role"), "Supabase's service_role key"),
        (jwt("anon"), "a JSON Web Token"),
        (random.clone(), "a value as random as a key"),
        (format!("token={random}"), "a value as random as a key"),
        (format!("https://hooks.example.com/{random}"), "a value as random as a key"),
        ("postgres://leo:pass@db.example.com:5432/leo".to_owned(), "a URL with a password"),
        (format!("arn:aws:x:::y {random}"), "a value as random as a key"),
    ] {
        assert_eq!(looks_secret(&value), Some(wanted), "{value}");
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
/// Values of each shape, and values that people put in their place.
fn named() -> [(Shape, Vec<String>, Vec<String>); 8] {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let oauth = format!("sk-ant-oat01-{}", any(95));
    let fine = format!("github_pat_{}_{}", any(22), any(59));
    let classic = format!("ghp_{}", any(36));
    let fly = format!("fm2_{}", chance(BASE64, 300, 2));
    let with_space =
        |text: &str| vec![format!(" {text}"), format!("{text} "), format!("{text}\n"), format!("\"{text}\"")];
    [
        (
            Shape::SupabaseUrl,
            texts(&[
                "https://abcdefghijklmnopqrst.supabase.co",
                "https://abcdefghijklmnopqrst.supabase.co/",
                "https://api.example.com",
            ]),
            texts(&[
                "http://abcdefghijklmnopqrst.supabase.co",
                "abcdefghijklmnopqrst.supabase.co",
                "https://abc.supabase.co",
                "https://supabase.com/dashboard/project/abcdefghijklmnopqrst",
                "https://app.supabase.com",
                "https://localhost",
                "https://abcdefghijklmnopqrst.supabase.co/rest/v1",
                "postgresql://postgres:x@db.abcdefghijklmnopqrst.supabase.co:5432",
                "http://127.0.0.1:54321",
                "https://",
                "",
                "https://-a.example.com",
                "https://a..b",
                "https://user:x@api.example.com",
                "https://db.abcdefghijklmnopqrst.supabase.co",
            ]),
        ),
        (
            Shape::SupabaseAnonKey,
            vec![jwt("anon"), format!("sb_publishable_{}_{}", any(22), any(8))],
            [
                vec![
                    jwt("service_role"),
                    jwt("authenticated"),
                    format!("sb_secret_{}_{}", any(22), any(8)),
                    "eyJ".into(),
                    String::new(),
                    format!("{}.x", jwt("anon")),
                ],
                with_space(&jwt("anon")),
            ]
            .concat(),
        ),
        (
            Shape::SupabaseServiceKey,
            vec![jwt("service_role"), format!("sb_secret_{}_{}", any(22), any(8))],
            [
                vec![jwt("anon"), format!("sb_publishable_{}_{}", any(22), any(8)), "sb_secret_short".into()],
                with_space(&jwt("service_role")),
            ]
            .concat(),
        ),
        (
            Shape::ClaudeOauthToken,
            vec![oauth.clone(), format!("sk-ant-oat02-{}-{}AA", any(40), any(50))],
            [
                vec![
                    format!("sk-ant-api03-{}", any(95)),
                    "sk-ant-oat01-short".into(),
                    format!("sk-ant-oat-{}", any(95)),
                    String::new(),
                ],
                with_space(&oauth),
            ]
            .concat(),
        ),
        (
            Shape::GithubFineGrainedToken,
            vec![fine.clone()],
            [
                vec![
                    classic.clone(),
                    format!("github_pat_{}", any(82)),
                    format!("github_pat_{}_{}", any(21), any(59)),
                ],
                with_space(&fine),
            ]
            .concat(),
        ),
        (
            Shape::GithubClassicToken,
            vec![classic.clone(), format!("ghp_{}", any(100))],
            [
                vec![
                    fine.clone(),
                    format!("ghp_{}", any(35)),
                    format!("gho_{}", any(36)),
                    format!("ghp_{}_", any(36)),
                ],
                with_space(&classic),
            ]
            .concat(),
        ),
        (
            Shape::GithubAppToken,
            vec![format!("ghs_{}", any(36)), format!("ghs_12345_{}", jwt("x"))],
            [
                vec![classic, format!("ghu_{}", any(36)), "ghs_".into()],
                with_space(&format!("ghs_{}", any(36))),
            ]
            .concat(),
        ),
        (
            Shape::FlyioToken,
            vec![
                fly.clone(),
                format!("FlyV1 {fly}"),
                format!("FlyV1 {fly},{fly}=="),
                format!("fo1_{}", any(43)),
                format!("fm1r_{}", any(100)),
            ],
            [
                vec![
                    "FlyV1 ".into(),
                    format!("FlyV1  {fly}"),
                    format!("{fly},"),
                    format!("flyv1 {fly}"),
                    format!("{fly}, {fly}"),
                    format!("fo1_{}", any(42)),
                    "fm2_x".into(),
                ],
                with_space(&fly),
            ]
            .concat(),
        ),
    ]
}

#[test]
fn each_named_shape_takes_its_own_and_nothing_else() {
    for (shape, own, others) in named() {
        assert_eq!(Shape::parse(shape.name()), Ok(shape));
        assert_eq!(shape.to_string(), shape.name());
        for value in &own {
            assert!(shape.matches(value), "{shape}: {value}");
            let only = Shape::ALL.into_iter().filter(|other| other.matches(value)).collect::<Vec<_>>();
            assert_eq!(only, [shape], "{value}");
            if shape != Shape::SupabaseUrl {
                assert_eq!(describe(value), Some(shape.what()), "{value}");
            }
        }
        for value in &others {
            assert!(!shape.matches(value), "{shape}: {value:?}");
        }
    }
    assert_eq!(Shape::parse("github-token").unwrap_err().to_string(), "no shape is called `github-token`");
}

#[test]
fn another_token_is_called_by_its_own_name() {
    assert_eq!(describe(&format!("sk-ant-api03-{}", any(95))), Some("an Anthropic API key"));
    assert_eq!(describe(&format!("sbp_{}", chance(HEX, 40, 1))), Some("a Supabase access token"));
    assert_eq!(describe(&jwt("authenticated")), Some("a JSON Web Token"));
    assert_eq!(describe("hello"), None);
    assert_eq!(describe("https://abcdefghijklmnopqrst.supabase.co"), None);
}
