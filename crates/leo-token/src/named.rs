//! The shapes that `infra/env.toml` can name.

use std::{fmt, ops::RangeInclusive};

use crate::{
    alphabet::{Alphabet, alphanumeric, base64, dotted, lower, word},
    jwt,
    shapes::LONGEST,
};

/// What a key's value has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// `supabase-url`: the API's address of a Supabase project.
    SupabaseUrl,
    /// `supabase-anon-key`: Supabase's key for browsers, a JSON Web Token or `sb_publishable_…`.
    SupabaseAnonKey,
    /// `supabase-service-key`: Supabase's key that goes past row level security, a JSON Web Token or `sb_secret_…`.
    SupabaseServiceKey,
    /// `claude-oauth-token`: what `claude setup-token` prints, not an API key.
    ClaudeOauthToken,
    /// `github-fine-grained-token`
    GithubFineGrainedToken,
    /// `github-classic-token`
    GithubClassicToken,
    /// `github-app-token`: the token of an app's installation.
    GithubAppToken,
    /// `flyio-token`: with or without the `FlyV1` that the `fly` program prints before it.
    FlyioToken,
}

/// A name that no shape has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownShape(String);

impl fmt::Display for UnknownShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no shape is called `{}`", self.0)
    }
}

impl std::error::Error for UnknownShape {}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SupabaseUrl,
        Self::SupabaseAnonKey,
        Self::SupabaseServiceKey,
        Self::ClaudeOauthToken,
        Self::GithubFineGrainedToken,
        Self::GithubClassicToken,
        Self::GithubAppToken,
        Self::FlyioToken,
    ];

    /// The shape of a name like `flyio-token`.
    pub fn parse(name: &str) -> Result<Self, UnknownShape> {
        let mut all = Self::ALL.into_iter();
        all.find(|shape| shape.name() == name).ok_or_else(|| UnknownShape(name.to_owned()))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SupabaseUrl => "supabase-url",
            Self::SupabaseAnonKey => "supabase-anon-key",
            Self::SupabaseServiceKey => "supabase-service-key",
            Self::ClaudeOauthToken => "claude-oauth-token",
            Self::GithubFineGrainedToken => "github-fine-grained-token",
            Self::GithubClassicToken => "github-classic-token",
            Self::GithubAppToken => "github-app-token",
            Self::FlyioToken => "flyio-token",
        }
    }

    /// What a value of this shape is, in words that read after "found" or "is": "a Fly.io token".
    pub fn what(self) -> &'static str {
        match self {
            Self::SupabaseUrl => "a Supabase project's URL",
            Self::SupabaseAnonKey => "Supabase's anon key",
            Self::SupabaseServiceKey => "Supabase's service_role key",
            Self::ClaudeOauthToken => "a Claude OAuth token",
            Self::GithubFineGrainedToken => "a fine-grained GitHub token",
            Self::GithubClassicToken => "a classic GitHub token",
            Self::GithubAppToken => "a GitHub app's token",
            Self::FlyioToken => "a Fly.io token",
        }
    }

    /// How such a value is written, in words that read after "wanted".
    pub fn wanted(self) -> &'static str {
        match self {
            Self::SupabaseUrl => "https://<project>.supabase.co, or https:// and a domain of your own",
            Self::SupabaseAnonKey => "eyJ… with the role anon, or sb_publishable_…",
            Self::SupabaseServiceKey => "eyJ… with the role service_role, or sb_secret_…",
            Self::ClaudeOauthToken => "sk-ant-oat01-…",
            Self::GithubFineGrainedToken => "github_pat_…",
            Self::GithubClassicToken => "ghp_…",
            Self::GithubAppToken => "ghs_…",
            Self::FlyioToken => "FlyV1 fm2_…, or fo1_…",
        }
    }

    /// Whether the whole value has this shape. Whether it looks like chance is not asked, so an example passes that is
    /// as long as the real thing.
    pub fn matches(self, value: &str) -> bool {
        let after = |prefix, alphabet, length| is(value, prefix, alphabet, length);
        match self {
            Self::SupabaseUrl => supabase_url(value),
            Self::SupabaseAnonKey => after("sb_publishable_", word, 28..=60) || jwt::has_role(value, "anon"),
            Self::SupabaseServiceKey => {
                after("sb_secret_", word, 28..=60) || jwt::has_role(value, "service_role")
            }
            Self::ClaudeOauthToken => {
                let version = value.strip_prefix("sk-ant-oat").and_then(|rest| rest.split_once('-'));
                version.is_some_and(|(version, rest)| {
                    is(version, "", |byte| byte.is_ascii_digit(), 2..=2) && is(rest, "", word, 60..=250)
                })
            }
            Self::GithubFineGrainedToken => {
                let parts = value.strip_prefix("github_pat_").and_then(|rest| rest.split_once('_'));
                parts.is_some_and(|(id, secret)| {
                    is(id, "", alphanumeric, 22..=22) && is(secret, "", alphanumeric, 59..=200)
                })
            }
            // "Behind GitHub's new authentication token formats": 36 today, up to 255 with the prefix one day.
            Self::GithubClassicToken => after("ghp_", alphanumeric, 36..=251),
            Self::GithubAppToken => after("ghs_", dotted, 36..=2000),
            Self::FlyioToken => flyio(value),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a value is a prefix and so many characters of an alphabet.
fn is(value: &str, prefix: &str, alphabet: Alphabet, length: RangeInclusive<usize>) -> bool {
    let rest = value.strip_prefix(prefix);
    rest.is_some_and(|rest| length.contains(&rest.len()) && rest.bytes().all(alphabet))
}

/// The address alone, over TLS: clients put the path behind it. Supabase's dashboard and its database have others, and a
/// container reaches none on its own loopback.
fn supabase_url(value: &str) -> bool {
    let Some(host) = value.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest)) else {
        return false;
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| word(byte) && byte != b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_host = host.contains('.') && host.len() <= 253 && host.split('.').all(label);
    let host = host.to_ascii_lowercase();
    match host.strip_suffix(".supabase.co") {
        Some(project) => is(project, "", lower, 20..=20),
        None => is_host && !matches!(host.as_str(), "supabase.co" | "supabase.com" | "app.supabase.com"),
    }
}

/// One macaroon or several, or an access token.
fn flyio(value: &str) -> bool {
    let tokens = value.strip_prefix("FlyV1 ").unwrap_or(value);
    is(tokens, "fo1_", word, 43..=43)
        || tokens.split(',').all(|token| {
            ["fm2_", "fm1r_", "fm1a_"].into_iter().any(|prefix| is(token, prefix, base64, 60..=LONGEST))
        })
}
