//! The shapes of known secrets: a part that is always the same, and what stands around it.
//!
//! Only shapes that are hardly ever anything else: a key that may be public (Google's `AIza…`, Stripe's test keys,
//! Supabase's anon key) is none, nor is a password in a URL. Lengths and alphabets are from the providers' pages on
//! their token formats and from gitleaks' rules.

use crate::{
    alphabet::{Alphabet, alphanumeric, base32, base64, dotted, hex, letter, plain_word, upper, word},
    chance::{by_chance, varied},
    jwt,
};

/// A kind of secret and how it is told.
pub(crate) struct Shape {
    pub(crate) what: &'static str,
    /// What every one of them has in it.
    pub(crate) known: &'static str,
    around: Around,
}

/// What stands around the known part.
#[derive(Clone, Copy)]
enum Around {
    /// So many characters of an alphabet after it, and no word's character before it.
    Then(Alphabet, usize, usize),
    /// A value of so many characters of an alphabet after it, behind `=`, `:`, quotes or spaces.
    Value(Alphabet, usize, usize),
    /// Anything else.
    Custom(fn(Place<'_>) -> Option<Span>),
}

/// Where a known part was found.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Some bytes before it.
    pub(crate) before: &'a [u8],
    /// What follows it.
    pub(crate) rest: &'a [u8],
}

/// How much of what stands around the known part belongs to the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Bytes before it.
    pub(crate) before: usize,
    /// Bytes after it.
    pub(crate) after: usize,
}

/// More than any token has.
pub(crate) const LONGEST: usize = 4096;

const fn shape(what: &'static str, known: &'static str, around: Around) -> Shape {
    Shape { what, known, around }
}

const GITHUB: &str = "a GitHub token";
const SUPABASE: &str = "a Supabase secret key";
const SUPABASE_ACCESS: &str = "a Supabase access token";
const OPENAI: &str = "an OpenAI API key";
const FLY: &str = "a Fly.io token";
const AWS_ID: &str = "an AWS access key id";
const AWS_SECRET: &str = "an AWS secret access key";
const BEDROCK: &str = "an Amazon Bedrock API key";
const SLACK: &str = "a Slack token";
const STRIPE: &str = "a Stripe live key";

/// All shapes. A shape's place in here is its number.
pub(crate) const SHAPES: &[Shape] = &[
    shape("a private key", "-----BEGIN ", Around::Custom(private_key)),
    shape("a private key", "AGE-SECRET-KEY-1", Around::Then(upper, 58, 58)),
    shape("an Anthropic API key", "sk-ant-", Around::Then(word, 40, 200)),
    shape("Supabase's service_role key", "eyJ", Around::Custom(service_role)),
    shape(SUPABASE, "sb_secret_", Around::Then(word, 28, 60)),
    shape(SUPABASE_ACCESS, "sbp_oauth_", Around::Then(hex, 40, 40)),
    shape(SUPABASE_ACCESS, "sbp_", Around::Then(hex, 40, 40)),
    shape(GITHUB, "ghp_", Around::Then(alphanumeric, 36, 255)),
    shape(GITHUB, "gho_", Around::Then(alphanumeric, 36, 255)),
    shape(GITHUB, "ghu_", Around::Then(alphanumeric, 36, 255)),
    shape(GITHUB, "ghs_", Around::Then(dotted, 36, 2000)),
    shape(GITHUB, "ghr_", Around::Then(alphanumeric, 36, 255)),
    shape(GITHUB, "github_pat_", Around::Then(word, 82, 255)),
    shape("the credentials of a git checkout", "AUTHORIZATION: basic ", Around::Then(base64, 24, 2000)),
    shape("a GitLab token", "glpat-", Around::Then(dotted, 20, 300)),
    shape(FLY, "fo1_", Around::Then(word, 43, 43)),
    shape(FLY, "fm1r_", Around::Then(base64, 100, LONGEST)),
    shape(FLY, "fm1a_", Around::Then(base64, 100, LONGEST)),
    shape(FLY, "fm2_", Around::Then(base64, 100, LONGEST)),
    shape(AWS_ID, "AKIA", Around::Then(base32, 16, 16)),
    shape(AWS_ID, "ASIA", Around::Then(base32, 16, 16)),
    shape(AWS_SECRET, "aws_secret_access_key", Around::Value(base64, 40, 40)),
    shape(AWS_SECRET, "AWS_SECRET_ACCESS_KEY", Around::Value(base64, 40, 40)),
    shape(AWS_SECRET, "SecretAccessKey", Around::Value(base64, 40, 40)),
    shape(AWS_SECRET, "secretAccessKey", Around::Value(base64, 40, 40)),
    shape(BEDROCK, "ABSKQmVkcm9ja0FQSUtleS", Around::Then(base64, 80, 300)),
    shape(BEDROCK, "bedrock-api-key-", Around::Then(base64, 100, LONGEST)),
    shape(OPENAI, "T3BlbkFJ", Around::Custom(openai)),
    shape("an OpenRouter API key", "sk-or-v1-", Around::Then(hex, 64, 64)),
    shape("a Hugging Face token", "hf_", Around::Then(letter, 34, 34)),
    shape("an xAI API key", "xai-", Around::Then(alphanumeric, 80, 80)),
    shape("a Groq API key", "gsk_", Around::Then(alphanumeric, 52, 52)),
    shape(SLACK, "xoxb-", Around::Then(word, 40, 300)),
    shape(SLACK, "xoxp-", Around::Then(word, 40, 300)),
    shape(SLACK, "xoxe-", Around::Then(word, 40, 300)),
    shape(SLACK, "xoxe.xox", Around::Then(word, 40, 300)),
    shape(SLACK, "xoxa-", Around::Then(word, 40, 300)),
    shape(SLACK, "xoxs-", Around::Then(word, 40, 300)),
    shape(SLACK, "xapp-1-", Around::Then(word, 40, 300)),
    shape("a Slack webhook", "hooks.slack.com/services/T", Around::Custom(slack_webhook)),
    shape(STRIPE, "sk_live_", Around::Then(alphanumeric, 24, 255)),
    shape(STRIPE, "rk_live_", Around::Then(alphanumeric, 24, 255)),
    shape("a webhook's signing secret", "whsec_", Around::Then(base64, 32, 100)),
    shape("an npm token", "npm_", Around::Then(alphanumeric, 36, 36)),
    shape("an npm registry's token", ":_authToken", Around::Value(dotted, 20, 2000)),
    shape("a PyPI token", "pypi-AgEIcHlwaS5vcmc", Around::Then(word, 50, 2000)),
    shape("a Docker Hub token", "dckr_pat_", Around::Then(word, 27, 27)),
    shape("a Google OAuth secret", "GOCSPX-", Around::Then(word, 28, 28)),
    shape("a SendGrid API key", "SG.", Around::Custom(sendgrid)),
    shape("a DigitalOcean token", "dop_v1_", Around::Then(hex, 64, 64)),
    shape("a HashiCorp Vault token", "hvs.", Around::Then(word, 90, 300)),
    shape("a Sentry token", "sntryu_", Around::Then(hex, 64, 64)),
    shape("a Sentry token", "sntrys_eyJ", Around::Then(base64, 80, 2000)),
    shape("a Linear API key", "lin_api_", Around::Then(alphanumeric, 40, 40)),
    shape("a Shopify token", "shpat_", Around::Then(hex, 32, 32)),
    shape("a Databricks token", "dapi", Around::Then(hex, 32, 32)),
];

impl Shape {
    /// How far a secret goes from the known part, where what stands around makes it one.
    pub(crate) fn fits(&self, place: Place<'_>) -> Option<Span> {
        let Place { before, rest } = place;
        match self.around {
            Around::Then(alphabet, least, most) => {
                let begins = !before.last().is_some_and(|&byte| plain_word(byte));
                let after = begins.then(|| run(rest, alphabet, least, most)).flatten()?;
                Some(Span { before: 0, after })
            }
            Around::Value(alphabet, least, most) => {
                let between = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'=' | b':' | b'\\');
                let skipped = rest.iter().take_while(between).count();
                let begins = (1..=8).contains(&skipped);
                let value =
                    begins.then(|| run(rest.get(skipped..).unwrap_or_default(), alphabet, least, most));
                Some(Span { before: 0, after: skipped + value.flatten()? })
            }
            Around::Custom(fits) => fits(place),
        }
    }
}

/// The length of a run of so many characters of an alphabet, where no word goes on after it and it looks like chance.
fn run(bytes: &[u8], alphabet: Alphabet, least: usize, most: usize) -> Option<usize> {
    let length = bytes.iter().take(LONGEST).take_while(|byte| alphabet(**byte)).count();
    let ends = !bytes.get(length).is_some_and(|&byte| plain_word(byte));
    let fits = (least..=most).contains(&length) && ends && by_chance(bytes.get(..length).unwrap_or_default());
    fits.then_some(length)
}

/// `…PRIVATE KEY-----` or `…PRIVATE KEY BLOCK-----`, and a key below it: code that reads keys has the first alone.
fn private_key(place: Place<'_>) -> Option<Span> {
    const DASHES: &[u8] = b"-----";
    let label = place.rest.iter().take(40).take_while(|byte| upper(**byte) || **byte == b' ').count();
    let (name, rest) = place.rest.split_at(label);
    let is_key = name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK");
    if !is_key || !rest.starts_with(DASHES) {
        return None;
    }
    let body = rest.get(DASHES.len()..).unwrap_or_default();
    let dashes = |most: usize| {
        body.get(..body.len().min(most)).unwrap_or_default().windows(5).position(|part| part == DASHES)
    };
    // There may be lines about the key first, or line ends that are written `\n`.
    let below = body.get(..dashes(595).unwrap_or(body.len().min(595))).unwrap_or_default();
    let lines = below.split(|&byte| !base64(byte));
    let holds_key =
        lines.into_iter().any(|line| line.strip_prefix(b"n").unwrap_or(line).len() >= 40 && varied(line, 12));
    let length = dashes(LONGEST).unwrap_or(body.len().min(LONGEST));
    holds_key.then_some(Span { before: 0, after: label + DASHES.len() + length })
}

/// A JSON Web Token that lets through row level security. The one of Supabase's local stack is in its documentation.
fn service_role(place: Place<'_>) -> Option<Span> {
    if place.before.last().is_some_and(|&byte| word(byte)) {
        return None;
    }
    let length = place.rest.iter().take(LONGEST).take_while(|byte| dotted(**byte)).count();
    let payload = jwt::payload(place.rest.get(..length).unwrap_or_default())?;
    let says = |text: &str| payload.windows(text.len()).any(|part| part == text.as_bytes());
    (says("\"service_role\"") && !says("supabase-demo")).then_some(Span { before: 0, after: length })
}

/// The middle of every key of OpenAI's.
fn openai(place: Place<'_>) -> Option<Span> {
    let before = place.before.iter().rev().take_while(|byte| word(**byte)).count();
    let key = place.before.get(place.before.len() - before..).unwrap_or_default();
    let begins = key.starts_with(b"sk-") && before >= 20;
    let after = begins.then(|| run(place.rest, word, 20, 200)).flatten()?;
    Some(Span { before, after })
}

/// `T…/B…/…`.
fn slack_webhook(place: Place<'_>) -> Option<Span> {
    let near = place.rest.get(..place.rest.len().min(80)).unwrap_or_default();
    let mut parts = near.splitn(3, |&byte| byte == b'/');
    let (team, bot, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let id = |part: &[u8]| part.len() >= 8 && part.iter().all(|byte| upper(*byte));
    let begins = id(team) && bot.strip_prefix(b"B").is_some_and(id);
    let length = begins.then(|| run(secret, alphanumeric, 24, 24)).flatten()?;
    Some(Span { before: 0, after: team.len() + bot.len() + 2 + length })
}

/// `<22>.<43>`.
fn sendgrid(place: Place<'_>) -> Option<Span> {
    let (id, rest) = place.rest.split_at_checked(22)?;
    let begins =
        !place.before.last().is_some_and(|&byte| plain_word(byte)) && id.iter().all(|byte| word(*byte));
    let secret = rest.strip_prefix(b".").filter(|_| begins)?;
    Some(Span { before: 0, after: 23 + run(secret, word, 43, 43)? })
}
