use super::*;

/// Characters that look like chance, from an alphabet.
fn chance(alphabet: &str, length: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut random = fastrand::Rng::with_seed(length as u64);
    (0..length).map(|_| alphabet[random.usize(..alphabet.len())]).collect()
}

const ANY: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn encoded(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

fn jwt(payload: &str) -> String {
    format!("{}.{}.{}", encoded(r#"{"alg":"HS256","typ":"JWT"}"#), encoded(payload), chance(ANY, 43))
}

/// One of each shape, in the order of the table. None is written out in full: this file, too, is scanned by others.
fn examples() -> Vec<String> {
    let any = |length| chance(ANY, length);
    let hex = |length| chance(HEX, length);
    let begin = format!("-----BEGIN {}PRIVATE KEY-----", "RSA ");
    vec![
        format!("{begin}\n{}\n{}\n", any(64), any(64)),
        format!("AGE-SECRET-KEY-1{}", chance("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
        format!("sk-ant-api03-{}-{}AA", any(40), any(50)),
        jwt(r#"{"iss":"supabase","ref":"abcdefghijklm","role":"service_role","iat":1,"exp":2}"#),
        format!("sb_secret_{}_{}", any(22), any(8)),
        format!("sbp_oauth_{}", hex(40)),
        format!("sbp_{}", hex(40)),
        format!("ghp_{}", any(36)),
        format!("gho_{}", any(36)),
        format!("ghu_{}", any(36)),
        format!("ghs_{}", any(36)),
        format!("ghr_{}", any(36)),
        format!("github_pat_{}_{}", any(22), any(59)),
        format!("AUTHORIZATION: basic {}", any(60)),
        format!("glpat-{}", any(20)),
        format!("fo1_{}", any(43)),
        format!("fm1r_{}", any(200)),
        format!("fm1a_{}", any(200)),
        format!("FlyV1 fm2_{}=,fm2_{}", any(300), any(200)),
        format!("AKIA{}", chance(UPPER, 16)),
        format!("ASIA{}", chance(UPPER, 16)),
        format!("aws_secret_access_key = {}", any(40)),
        format!("export AWS_SECRET_ACCESS_KEY=\"{}\"", any(40)),
        format!("\"SecretAccessKey\": \"{}\"", any(40)),
        format!("secretAccessKey: '{}'", any(40)),
        format!("ABSKQmVkcm9ja0FQSUtleS{}", any(110)),
        format!("bedrock-api-key-{}", any(200)),
        format!("sk-proj-{}T3BlbkFJ{}", any(74), any(74)),
        format!("sk-or-v1-{}", hex(64)),
        format!("hf_{}", chance(LETTERS, 34)),
        format!("xai-{}", any(80)),
        format!("gsk_{}", any(52)),
        format!("xoxb-{}-{}-{}", chance("1357902468", 12), chance("1357902468", 13), any(24)),
        format!("xoxp-{}-{}", chance("1357902468", 12), any(40)),
        format!("xoxe-1-{}", any(60)),
        format!("xoxe.xoxp-1-{}", any(80)),
        format!("xoxa-2-{}", any(60)),
        format!("xoxs-{}", any(60)),
        format!("xapp-1-A{}-{}", any(10), any(64)),
        format!("https://hooks.slack.com/services/T{}/B{}/{}", chance(UPPER, 9), chance(UPPER, 10), any(24)),
        format!("sk_live_{}", any(24)),
        format!("rk_live_{}", any(99)),
        format!("whsec_{}", any(32)),
        format!("npm_{}", any(36)),
        format!("//registry.npmjs.org/:_authToken={}", any(36)),
        format!("pypi-AgEIcHlwaS5vcmc{}", any(120)),
        format!("dckr_pat_{}", any(27)),
        format!("GOCSPX-{}", any(28)),
        format!("SG.{}.{}", any(22), any(43)),
        format!("dop_v1_{}", hex(64)),
        format!("hvs.{}", any(95)),
        format!("sntryu_{}", hex(64)),
        format!("sntrys_eyJ{}", any(120)),
        format!("lin_api_{}", any(40)),
        format!("shpat_{}", hex(32)),
        format!("dapi{}", hex(32)),
    ]
}

fn found(text: &str) -> Vec<&'static str> {
    Scanner::new().scan_all(text.as_bytes()).into_iter().filter_map(kind_name).collect()
}

#[test]
fn each_shape_is_found_wherever_it_stands() {
    let examples = examples();
    assert_eq!(examples.len(), SHAPES.len());
    let scanner = Scanner::new();
    for (kind, example) in examples.iter().enumerate() {
        let kind = u8::try_from(kind).unwrap();
        for text in [
            example.clone(),
            format!("KEY={example}\n"),
            format!("{{\"key\": \"{example}\"}}"),
            format!("\0\u{1}{example}\0"),
            format!("https://user:{example}@host/"),
        ] {
            assert!(
                scanner.scan_all(text.as_bytes()).contains(&kind),
                "{:?}",
                &SHAPES[usize::from(kind)].known
            );
        }
        // As part of something else it is none; what has a word around it anyway is told by that.
        let told_by_itself = !matches!(&example[..2], "--" | "aw" | "ex" | "\"S" | "se" | "ht" | "//" | "Fl");
        let inside = format!("x{example}");
        assert_ne!(
            scanner.scan_all(inside.as_bytes()).contains(&kind),
            told_by_itself,
            "{}",
            SHAPES[usize::from(kind)].known
        );
    }
}

#[test]
fn other_forms_of_private_keys_are_found() {
    let key = |label: &str, body: &str| format!("-----BEGIN {label}-----{body}-----END {label}-----");
    let line = chance(ANY, 64);
    // The beginning of every unencrypted key of OpenSSH's.
    let openssh = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW";
    for text in [
        key("PRIVATE KEY", &format!("\n{line}\n")),
        key("EC PRIVATE KEY", &format!("\r\n{line}\r\n")),
        key("ENCRYPTED PRIVATE KEY", &format!("\n{line}\n")),
        key("OPENSSH PRIVATE KEY", &format!("\n{openssh}\n")),
        key("RSA PRIVATE KEY", &format!("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{line}\n")),
        key("PGP PRIVATE KEY BLOCK", &format!("\nVersion: 1\n\n{line}\n")),
        format!("{{\"private_key\": \"{}\"}}", key("PRIVATE KEY", &format!("\\n{line}\\n"))),
        format!("\"{}\" +\n  \"{line}\" +", "-----BEGIN PRIVATE KEY-----\\n"),
    ] {
        assert_eq!(found(&text), ["a private key"], "{text}");
    }
}

#[test]
fn what_only_looks_like_a_secret_is_none() {
    let line = chance(ANY, 64);
    for text in [
        // Code and documents about secrets.
        "-----BEGIN PRIVATE KEY-----".to_owned(),
        "if line == '-----BEGIN RSA PRIVATE KEY-----' { parse(line, '-----END RSA PRIVATE KEY-----') }"
            .to_owned(),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n".to_owned(),
        format!("-----BEGIN CERTIFICATE-----\n{line}\n-----END CERTIFICATE-----\n"),
        format!("-----BEGIN PUBLIC KEY-----\n{line}\n-----END PUBLIC KEY-----\n"),
        format!("{}IOSFODNN7EXAMPLE", "AKIA"),
        format!("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}", "EXAMPLEKEY"),
        format!("ghp_{}", "x".repeat(36)),
        "ghp_1234567890abcdefghijklmnopqrstuvwxyz".to_owned(),
        format!("ghp_{}", "abcd".repeat(9)),
        "sk-ant-your-api-key-goes-in-here-and-nowhere-else-at-all".to_owned(),
        "ANTHROPIC_API_KEY=sk-ant-...".to_owned(),
        "//registry.npmjs.org/:_authToken=${NPM_TOKEN}".to_owned(),
        "AUTHORIZATION: basic ${credential}".to_owned(),
        "AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}".to_owned(),
        // Hashes, integrity values and random words.
        format!("sha512-{}AKIA{}==", chance(ANY, 40), chance(ANY, 40)),
        format!("AKIA{}", chance(UPPER, 17)),
        "AKIAlowercaseletters".to_owned(),
        format!("sbp_{}", chance(ANY, 40)),
        format!("npm_{}", chance(ANY, 35)),
        "npm_config_registry".to_owned(),
        "eyJ".to_owned(),
        "eyJhbGciOiJIUzI1NiJ9.e30.".to_owned(),
        // Public by design.
        jwt(r#"{"iss":"supabase","ref":"abcdefghijklm","role":"anon","iat":1,"exp":2}"#),
        jwt(r#"{"sub":"1234567890","name":"John Doe"}"#),
        jwt(r#"{"iss":"supabase-demo","role":"service_role","exp":1983812996}"#),
        format!("sb_publishable_{}_{}", chance(ANY, 22), chance(ANY, 8)),
        format!("sk_test_{}", chance(ANY, 24)),
        format!("AIza{}", chance(ANY, 35)),
    ] {
        assert_eq!(found(&text), [""; 0], "{text}");
    }
}

#[test]
fn nothing_of_a_value_is_in_what_is_said() {
    for example in examples() {
        for kind in found(&example) {
            assert!(!kind.contains(&example), "{kind}");
        }
    }
}

#[test]
fn other_rules_are_another_number() {
    let all = || {
        let mut all = Vec::new();
        rules(|part| all.extend_from_slice(part));
        all
    };
    assert!(all().len() > SHAPES.len() * 8);
    assert_eq!(all(), all());
}
