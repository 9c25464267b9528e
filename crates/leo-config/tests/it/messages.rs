//! Everything that can be wrong, as it is printed. One snapshot a subject.

use std::fmt::Write;

use leo_config::testing::Sample;
use leo_diagnostic::{Colours, render_all};

/// The messages of several files, each under its title; a file that loads is a mistake of the test.
fn messages(cases: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (title, toml) in cases {
        let sample = Sample::of(toml).with("LEO_ENVIRONMENT", "dev").with("AWS_REGION", "us-east-1");
        add(&mut text, title, &sample);
    }
    text
}

fn add(text: &mut String, title: &str, sample: &Sample) {
    let findings = sample.load().expect_err(title);
    writeln!(text, "# {title}\n\n{}", render_all(&findings, Colours::Plain)).unwrap();
}

#[test]
fn the_file() {
    let text = messages(&[
        ("not TOML", "[network\nvpc_cidr = \"10.0.0.0/16\"\n"),
        ("not TOML, in two places", "[network]\nvpc_cidr = 10.0.0.0/16\n[orchestrator]\nport =\n"),
        ("a setting twice", "[orchestrator]\nport = 1\nport = 2\n"),
        (
            "unknown keys at every level",
            "[netwrok]\n[network]\nvcp_cidr = \"10.0.0.0/16\"\n[orchestrator.health]\ncolour = 1\n[environments.dev.orchestrator]\nprot = 1\n[environments.dev]\nprotect = true\n",
        ),
        (
            "wrong types",
            "network = 1\n[orchestrator]\nport = \"8080\"\nexec = 1\nvcpu = \"1\"\narchitecture = 64\n[images]\norchestrator = []\n",
        ),
        (
            "out of range",
            "[load_balancer]\nidle_timeout_seconds = 4001\nderegistration_delay_seconds = -1\nstickiness_seconds = 99999999999999999999\n[orchestrator]\nport = 0\nstop_timeout_seconds = 121\n[generator]\nephemeral_storage_gib = 19\n",
        ),
        ("an environment's settings at the top", "account = \"123456789012\"\nregion = \"us-east-1\"\n"),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_network() {
    let text = messages(&[
        ("a VPC that isn't one", "[network]\nvpc_cidr = \"10.0.0.0/8\"\n"),
        ("host bits", "[network]\nvpc_cidr = \"10.0.0.1/16\"\n"),
        ("no prefix", "[network]\nvpc_cidr = \"10.0.0.0\"\n"),
        ("IPv6", "[network]\nvpc_cidr = \"fd00::/64\"\n"),
        ("a range that AWS refuses", "[network]\nvpc_cidr = \"169.254.0.0/16\"\n"),
        ("too small", "[network]\nvpc_cidr = \"10.0.0.0/26\"\nzones = [\"a\", \"b\", \"c\"]\n"),
        ("zones", "[network]\nzones = [\"a\", \"a\", \"us-east-1b\", 3]\n"),
        ("one zone", "[network]\nzones = [\"a\"]\n"),
        (
            "subnets that overlap, lie outside, and are one too many",
            "[network]\nsubnet_cidrs = [\"10.0.0.0/20\", \"10.0.8.0/21\", \"10.1.0.0/20\"]\n",
        ),
        (
            "a small subnet and a malformed one",
            "[network]\nsubnet_cidrs = [\"10.0.0.0/28\", \"10.0.1.0/33\"]\n",
        ),
        (
            "an override that breaks the subnets of all",
            "[network]\nsubnet_cidrs = [\"10.0.0.0/20\", \"10.0.16.0/20\"]\n[environments.dev.network]\nvpc_cidr = \"10.1.0.0/16\"\n",
        ),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_load_balancer() {
    let text = messages(&[
        (
            "ranges twice and inside each other",
            "[load_balancer]\ningress_cidrs = [\"10.0.0.0/8\", \"10.1.0.0/16\", \"::/0\", \"::/0\", \"me\"]\n",
        ),
        ("nobody", "[load_balancer]\ningress_cidrs = []\n"),
        ("a domain alone", "[environments.dev]\ndomain = \"leo.example.com\"\n"),
        (
            "a certificate and a zone without a domain",
            "[environments.dev]\ncertificate_arn = \"arn:aws:acm:us-east-1:123456789012:certificate/1\"\nhosted_zone_id = \"Z1\"\n",
        ),
        (
            "malformed",
            "[environments.dev]\ndomain = \"https://leo.example.com/\"\ncertificate_arn = \"arn:aws:iam::123456789012:role/x\"\nhosted_zone_id = \"/hostedzone/Z1\"\n",
        ),
        (
            "a certificate of another region and account",
            "[environments.dev]\naccount = \"210987654321\"\ndomain = \"leo.example.com\"\ncertificate_arn = \"arn:aws:acm:eu-west-1:123456789012:certificate/1\"\n",
        ),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_containers() {
    let text = messages(&[
        (
            "a dynamic reference",
            "[orchestrator.environment]\nX = \"{{resolve:secretsmanager:leo/dev/claude}}\"\n",
        ),
        ("memory that doesn't go with the CPU", "[orchestrator]\nvcpu = 1\nmemory_gib = 9\n"),
        ("memory between two steps", "[generator]\nvcpu = 8\nmemory_gib = 18\n"),
        ("CPU that Fargate doesn't have", "[generator]\nvcpu = 3\n"),
        (
            "an override of half a size",
            "[orchestrator]\nvcpu = 1\nmemory_gib = 2\n[environments.dev.orchestrator]\nvcpu = 4\n",
        ),
        ("neither", "[orchestrator]\nvcpu = 0.3\nmemory_gib = 2\n[generator]\nvcpu = 5\nmemory_gib = 500\n"),
        (
            "exec with a read-only root",
            "[orchestrator]\nexec = true\n[environments.dev.orchestrator]\nread_only_root = true\n",
        ),
        (
            "Spot in a protected environment",
            "[orchestrator]\ncapacity = \"spot\"\n[environments.dev]\nprotected = true\n",
        ),
        (
            "words",
            "[orchestrator]\narchitecture = \"amd64\"\ncapacity = \"FARGATE_SPOT\"\n[cluster]\ndefault_capacity = \"\"\n",
        ),
        (
            "health",
            "[orchestrator]\nhealth_command = [\"/leo-saas\", \"health\"]\nwebsocket_path = \"ws\"\n[orchestrator.health]\npath = \"http://x/healthz\"\ninterval_seconds = 5\ntimeout_seconds = 5\n",
        ),
        (
            "variables",
            "[orchestrator.environment]\nLEO_BUCKET = \"x\"\nPORT = \"1\"\nGITHUB_TOKEN = \"x\"\n\"a b\" = \"x\"\nLOG_LEVEL = 3\n",
        ),
        (
            "images",
            "[images.generator]\ncontext = \"\"\ndockerfile = \"/Dockerfile\"\ntarget = \"a b\"\n[images.generator.build_args]\nGITHUB_TOKEN = \"x\"\n\"a-b\" = \"x\"\n",
        ),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_rest() {
    let text = messages(&[
        ("retention", "[logs]\nretention_days = 10\n"),
        (
            "a boundary that isn't a policy",
            "[identity]\npermissions_boundary = \"arn:aws:iam::123456789012:role/boundary\"\n",
        ),
        ("expiry", "[registry]\nexpire_after_days = 0\n[storage]\nobject_expiry_days = 4000\n"),
        (
            "images",
            "[registry]\nkeep_releases = 1\n[images]\nmax_age_days = 91\n[images.generator]\nbudget_mb = 0\nallow_in_context = [\"../x\", \"a/b.pem\", \"\"]\nbranch = \"a b\"\nenv_file = \"env/.env.prod\"\n",
        ),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_secrets() {
    let mut text = messages(&[
        (
            "declared here",
            "[secrets.github]\nkeys = [\"GITHUB_TOKEN\"]\n[environments.dev.secrets.github]\nkeys = 1\n",
        ),
        (
            "given here",
            "[orchestrator]\nsecrets = [\"github\"]\n[generator]\nsecrets = []\n[environments.dev.generator]\nsecrets = []\n",
        ),
    ]);
    let schema = "[GITHUB_TOKEN]\nprovider = 'github'\nconsumers = []\nhelp = 'h'\n";
    add(&mut text, "a schema that is wrong", &Sample::of("").with_schema(schema));
    insta::assert_snapshot!(text);
}

#[test]
fn what_the_schema_wants_of_settings() {
    let schema = "[AWS_REGION]\ntype = 'choice'\nchoices = ['eu-west-1']\nhelp = 'h'\n\
                  [LEO_ENVIRONMENT]\npattern = 'd.*'\nhelp = 'h'\n\
                  [AWS_ACCOUNT_ID]\nrequired = true\nhelp = 'where it all is'\n\
                  [LEO_CERTIFICATE_ARN]\ndefault = 'arn:aws:iam::123456789012:role/x'\nhelp = 'h'\n";
    let sample = Sample::of("").with_schema(schema).with("LEO_ENVIRONMENT", "dev");
    let mut text = String::new();
    let defaults = "AWS_REGION=us-east-1\nAWS_PROFILE=me\n";
    add(
        &mut text,
        "not that region, no account, a bad default, an undeclared key",
        &sample.clone().with_file("env/.env.defaults", defaults),
    );
    add(&mut text, "not that environment", &sample.with("LEO_ENVIRONMENT", "prod"));
    insta::assert_snapshot!(text);
}

#[test]
fn the_environments() {
    let toml = "[environments.dev]\n[environments.staging]\n[environments.prod]\n";
    let mut text = String::new();
    add(&mut text, "none chosen", &Sample::of(toml).with("AWS_REGION", "us-east-1"));
    add(&mut text, "no region", &Sample::of(toml).with("LEO_ENVIRONMENT", "dev"));
    let region = Sample::of(toml).with("AWS_REGION", "us-east-1");
    add(
        &mut text,
        "unknown, but near",
        &region.clone().with_file("env/.env.defaults", "LEO_ENVIRONMENT=stagin"),
    );
    add(&mut text, "unknown", &region.clone().with("LEO_ENVIRONMENT", "qa"));
    add(&mut text, "not a name", &region.clone().with("LEO_ENVIRONMENT", "../prod"));
    add(&mut text, "a file's name", &region.with("LEO_ENVIRONMENT", "example"));
    text += &messages(&[
        (
            "a domain that is too long for a certificate",
            "[environments.dev]\ndomain = \"a-very-long-name-of-a-host-somewhere.in-a-very-long-subdomain.example.com\"\nhosted_zone_id = \"Z0123456789ABC\"\n",
        ),
        ("names that aren't", "[environments.Prod]\n[environments.defaults]\n[environments]\ndev = 1\n"),
        ("the registry is shared", "[environments.dev.registry]\nexpire_after_days = 1\n"),
        (
            "mistakes in another environment's table",
            "[environments.dev]\n[environments.prod]\nregion = \"us-east-1a\"\nacount = \"1\"\n[environments.prod.generator]\nvcpu = 3\n",
        ),
        (
            "its own settings",
            "[environments.dev]\naccount = \"1234-5678-9012\"\nregion = \"virginia\"\nprofile = \"\"\nprotected = \"yes\"\n",
        ),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_environment_files() {
    let defaults = "AWS_REGION=us-east-1a\nLEO_ENVIRONMENT=dev\nAWS_ACCOUNT_ID=12\nGITHUB_TOKEN=hush\nLEO_OUT_BUCKET=anything\n";
    let shared = "# mine\nGITHUB_TOKN=hush\nhush-hush-hush\nLEO_SECRET_GITHUB_TOKEN=hush\nFLY_API_TOKEN=hush hush\nlower=hush\nGITHUB_TOKEN=a\nGITHUB_TOKEN=b\nSUPABASE_URL=pa$$word\nAWS_PROFILE='one\ntwo'\nCLAUDE_CODE_OAUTH_TOKEN='hush\nCOLOUR=blue\n";
    let sample = Sample::of("")
        .with_file("env/.env.defaults", defaults)
        .with_file("env/.env", shared)
        .with_file("env/.env.dev", "LEO_ENVIRONMENT=prod\n");
    let mut text = String::new();
    add(&mut text, "all at once, and no value that may be secret", &sample);
    assert!(!text.contains("hush") && !text.contains("word"), "{text}");
    let broken = Sample { leo_toml: "[".to_owned(), ..sample };
    add(&mut text, "with a leo.toml that can't be read", &broken);
    insta::assert_snapshot!(text);
}
