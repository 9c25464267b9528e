//! Values: missing, empty, never filled in, malformed.

use crate::{table, tree::Tree};

/// Lines of `env/.env`.
const SECRETS: [(&str, &str); 30] = [
    ("empty", "GITHUB_TOKEN=\n"),
    ("empty quotes", "GITHUB_TOKEN=''\n"),
    ("changeme", "GITHUB_TOKEN=changeme\n"),
    ("xxx", "GITHUB_TOKEN=xxx\n"),
    ("brackets", "GITHUB_TOKEN='<token>'\n"),
    ("words for a value", "FLY_API_TOKEN=your-token-here\n"),
    ("an ellipsis", "FLY_API_TOKEN=...\n"),
    ("a prefix and filling", "GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxx\n"),
    ("the key's own name", "GITHUB_TOKEN=GITHUB_TOKEN\n"),
    ("a placeholder in a URL", "SUPABASE_URL=https://your-project.supabase.co\n"),
    ("an example's domain", "SUPABASE_URL=https://supabase.example.com\n"),
    ("null", "SUPABASE_ANON_KEY=null\n"),
    ("to do", "SUPABASE_ANON_KEY=TODO\n"),
    ("a token that is cut", "GITHUB_TOKEN=ghp_Hu5hQ7\n"),
    ("another provider's token", "GITHUB_TOKEN=@FLY_API_TOKEN@\nFLY_API_TOKEN=@GITHUB_TOKEN@\n"),
    ("white space inside the quotes", "GITHUB_TOKEN=' @GITHUB_TOKEN@'\n"),
    (
        "an API key for a subscription's token",
        "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-api03-Hu5hQ7Hu5hQ7Hu5hQ7Hu5hQ7Hu5hQ7\n",
    ),
    ("a token with its prefix twice", "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-@CLAUDE_CODE_OAUTH_TOKEN@x/\n"),
    ("no token of Fly.io", "FLY_API_TOKEN=Hu5hQ7\n"),
    ("a host without a scheme", "SUPABASE_URL=hvshhvshhvshhvshhvsh.supabase.co\n"),
    ("a URL without TLS", "SUPABASE_URL=http://hvshhvshhvshhvshhvsh.supabase.co\n"),
    (
        "the database's URL",
        "SUPABASE_URL=postgres://postgres:Hu5hQ7Hu5hQ7@db.hvshhvshhvshhvshhvsh.supabase.co:5432/postgres\n",
    ),
    ("the dashboard's URL", "SUPABASE_URL=https://supabase.com/dashboard/project/hvshhvshhvshhvshhvsh\n"),
    (
        "the keys swapped",
        "SUPABASE_ANON_KEY=@SUPABASE_SERVICE_ROLE_KEY@\nSUPABASE_SERVICE_ROLE_KEY=@SUPABASE_ANON_KEY@\n",
    ),
    ("one value for two keys", "SUPABASE_SERVICE_ROLE_KEY=@SUPABASE_ANON_KEY@\n"),
    ("an unknown key", "GITHUB_TOKN=Hu5hQ7\n"),
    ("an unknown key like none", "COLOUR=Hu5hQ7\n"),
    ("a key twice", "GITHUB_TOKEN=@GITHUB_TOKEN@\nGITHUB_TOKEN=@GITHUB_TOKEN@\n"),
    ("the variable's name of the process", "LEO_SECRET_GITHUB_TOKEN=Hu5hQ7\n"),
    ("an output", "LEO_OUT_CLUSTER=leo-dev\n"),
];

/// Lines of `env/.env.defaults`.
const SETTINGS: [(&str, &str); 17] = [
    ("no region", "AWS_REGION=\n"),
    ("a zone for a region", "AWS_REGION=us-east-1a\n"),
    ("a region in words", "AWS_REGION=Frankfurt\n"),
    ("an account with a digit too few", "AWS_ACCOUNT_ID=12345678901\n"),
    ("an account with hyphens", "AWS_ACCOUNT_ID=1234-5678-9012\n"),
    ("an account in brackets", "AWS_ACCOUNT_ID='<account>'\n"),
    ("a profile that is none", "AWS_PROFILE='[me]'\n"),
    ("a URL for a domain", "LEO_DOMAIN_NAME=https://leo.dev/\nLEO_HOSTED_ZONE_ID=Z0123456789ABCDEFGHIJ\n"),
    ("an example's domain", "LEO_DOMAIN_NAME=leo.example.com\nLEO_HOSTED_ZONE_ID=Z0123456789ABCDEFGHIJ\n"),
    (
        "an ARN of another service",
        "LEO_DOMAIN_NAME=leo.dev\nLEO_CERTIFICATE_ARN=arn:aws:iam::123456789012:role/x\n",
    ),
    ("half an ARN", "LEO_DOMAIN_NAME=leo.dev\nLEO_CERTIFICATE_ARN=arn:aws:acm:us-east-1\n"),
    ("no zone's id", "LEO_DOMAIN_NAME=leo.dev\nLEO_HOSTED_ZONE_ID=leo.dev\n"),
    ("no environment's name", "LEO_ENVIRONMENT=Dev\n"),
    ("an environment that there is none of", "LEO_ENVIRONMENT=devel\n"),
    ("no environment", "LEO_ENVIRONMENT=\n"),
    ("an unknown key", "AWS_REGON=us-east-1\n"),
    ("a region twice", "AWS_REGION=us-east-1\nAWS_REGION=us-east-2\n"),
];

/// One key of each type.
const TYPES: [(&str, &str); 10] = [
    ("integer", "X_COUNT=many\n"),
    ("an integer out of range", "X_COUNT=11\n"),
    ("bool", "X_FLAG=yes\n"),
    ("cidr, an address", "X_RANGE=10.0.0.1\n"),
    ("cidr, inside its range", "X_RANGE=10.0.0.1/8\n"),
    ("duration", "X_TIME=5\n"),
    ("choice", "X_WORD=large\n"),
    ("host name", "X_HOST=local_host\n"),
    ("region", "X_REGION=eu\n"),
    ("pattern", "X_FORM=b\n"),
];

const TYPED: &str = "
[X_COUNT]\ntype = \"integer\"\nmin = 1\nmax = 10\nprovider = \"x\"\nconsumers = [\"generator\"]\nhelp = \"how many\"
[X_FLAG]\ntype = \"bool\"\nprovider = \"x\"\nconsumers = [\"generator\"]\nhelp = \"whether\"
[X_RANGE]\ntype = \"cidr\"\nprovider = \"x\"\nconsumers = [\"generator\"]\nhelp = \"from where\"
[X_TIME]\ntype = \"duration\"\nprovider = \"x\"\nconsumers = [\"generator\"]\nhelp = \"how long\"
[X_WORD]\ntype = \"choice\"\nchoices = [\"small\", \"big\"]\nprovider = \"x\"\nconsumers = [\"generator\"]\nhelp = \"which\"
[X_HOST]\ntype = \"host-name\"\nprovider = \"x\"\nconsumers = [\"generator\"]\nhelp = \"where\"
[X_REGION]\ntype = \"region\"\nprovider = \"x\"\nconsumers = [\"generator\"]\nhelp = \"which region\"
[X_FORM]\npattern = \"a+\"\nprovider = \"x\"\nconsumers = [\"generator\"]\nhelp = \"what form\"
";

const GOOD: &str = "X_COUNT=5\nX_FLAG=true\nX_RANGE=10.0.0.0/8\nX_TIME=5m\nX_WORD=big\nX_HOST=leo.dev\nX_REGION=us-east-1\nX_FORM=aaa\n";

pub(crate) const TITLES: fn() -> usize = || SECRETS.len() + SETTINGS.len() + TYPES.len();

#[test]
fn values_of_secrets() {
    insta::assert_snapshot!(table(SECRETS.iter().map(|(title, lines)| {
        let tree = Tree::new();
        tree.env(lines);
        (*title, tree.messages())
    })));
}

#[test]
fn values_of_settings() {
    insta::assert_snapshot!(table(SETTINGS.iter().map(|(title, lines)| {
        let tree = Tree::new();
        tree.defaults(lines);
        (*title, tree.messages())
    })));
}

#[test]
fn values_of_each_type() {
    let tree = |lines: &str| {
        let tree = Tree::new();
        let committed = std::fs::read_to_string(tree.root().join("infra/env.toml")).unwrap();
        tree.write("infra/env.toml", format!("{committed}{TYPED}"));
        let key = lines.split('=').next().unwrap();
        let others: String =
            GOOD.split_inclusive('\n').filter(|line| !line.starts_with(&format!("{key}="))).collect();
        tree.env(&format!("{lines}{others}"));
        tree.messages()
    };
    assert_eq!(tree("X_COUNT=5\n"), "");
    insta::assert_snapshot!(table(TYPES.iter().map(|(title, lines)| (*title, tree(lines)))));
}
