use leo_config::{
    Certificate, Endpoint, load,
    testing::{Sample, schema},
    warnings,
};
use leo_diagnostic::{Colours, SourceFile, render_all};
use leo_env::SecretsPolicy;

const OWN: &str =
    "[environments.dev]\nregion = \"eu-west-1\"\nprofile = \"own\"\n[environments.prod]\nprotected = true\n";

fn sample(toml: &str) -> Sample {
    Sample::of(toml)
        .with_file("env/.env.defaults", "AWS_REGION=us-east-1\nLEO_ENVIRONMENT=dev\nAWS_PROFILE=defaults\n")
}

fn region(sample: &Sample) -> Result<String, String> {
    match sample.load() {
        Ok(config) => Ok(config.environment.region.to_string()),
        Err(findings) => Err(render_all(&findings, Colours::Plain)),
    }
}

#[test]
fn what_speaks_of_one_environment_wins_over_what_speaks_of_all() {
    assert_eq!(region(&sample(OWN)).unwrap(), "eu-west-1");
    assert_eq!(region(&sample(OWN).with_file("env/.env", "AWS_REGION=us-west-2")).unwrap(), "eu-west-1");
    assert_eq!(region(&sample("")).unwrap(), "us-east-1");
    assert_eq!(region(&sample("").with_file("env/.env", "AWS_REGION=us-west-2")).unwrap(), "us-west-2");
    let both = sample("")
        .with_file("env/.env", "AWS_REGION=us-west-2")
        .with_file("env/.env.dev", "AWS_REGION=eu-west-3");
    assert_eq!(region(&both).unwrap(), "eu-west-3");
}

#[test]
fn the_process_may_redirect_an_environment_that_has_no_region_of_its_own_unless_protected() {
    assert_eq!(region(&sample("").with("AWS_REGION", "ap-south-1")).unwrap(), "ap-south-1");
    assert_eq!(region(&sample(OWN).with("AWS_REGION", "eu-west-1")).unwrap(), "eu-west-1");
    insta::assert_snapshot!(region(&sample(OWN).with("AWS_REGION", "ap-south-1")).unwrap_err(), @r#"
    error: `environments.dev.region` and `AWS_REGION` contradict each other
      ┌─ infra/leo.toml:2:10
      │
    2 │ region = "eu-west-1"
      │          ^^^^^^^^^^^
      │
      = found `eu-west-1`, and `ap-south-1` from the process environment
    hint: change or unset one of them: where a deploy goes must not depend on which of the two is looked at
    "#);
    let prod = sample(OWN).with("LEO_ENVIRONMENT", "prod");
    assert_eq!(region(&prod).unwrap(), "us-east-1");
    insta::assert_snapshot!(region(&prod.with("AWS_REGION", "ap-south-1")).unwrap_err(), @r"
    error: `AWS_REGION` has two values
      ┌─ env/.env.defaults:1:12
      │
    1 │ AWS_REGION=us-east-1
      │            ^^^^^^^^^
      │
      = found `us-east-1` from env/.env.defaults:1, and `ap-south-1` from the process environment
    hint: change or unset one of them: where a deploy goes must not depend on which of the two is looked at
    ");
    let file = sample(OWN).with_file("env/.env.dev", "AWS_REGION=eu-west-3");
    insta::assert_snapshot!(region(&file).unwrap_err(), @r#"
    error: `environments.dev.region` and `AWS_REGION` contradict each other
      ┌─ infra/leo.toml:2:10
      │
    2 │ region = "eu-west-1"
      │          ^^^^^^^^^^^
      │
      = found `eu-west-1`, and `eu-west-3` from env/.env.dev:1
    hint: change or unset one of them: where a deploy goes must not depend on which of the two is looked at
    "#);
}

#[test]
fn the_profile_nearest_to_the_person_wins() {
    let profile = |sample: Sample| sample.load().unwrap().environment.profile.unwrap();
    assert_eq!(profile(sample("")), "defaults");
    assert_eq!(profile(sample(OWN)), "own");
    assert_eq!(profile(sample(OWN).with_file("env/.env", "AWS_PROFILE=me")), "me");
    assert_eq!(
        profile(
            sample(OWN)
                .with_file("env/.env", "AWS_PROFILE=me")
                .with_file("env/.env.dev", "AWS_PROFILE=me-dev")
        ),
        "me-dev"
    );
    assert_eq!(
        profile(sample(OWN).with_file("env/.env", "AWS_PROFILE=me").with("AWS_PROFILE", "now")),
        "now"
    );
}

#[test]
fn an_empty_value_is_as_good_as_none() {
    let empty = sample("").with_file("env/.env", "AWS_REGION=\nLEO_DOMAIN_NAME=").with("AWS_REGION", "");
    assert_eq!(region(&empty).unwrap(), "us-east-1");
}

#[test]
fn domain_certificate_and_zone_make_the_endpoint() {
    let arn = "arn:aws:acm:us-east-1:123456789012:certificate/x-1";
    let of = |certificate: &str, zone: &str| {
        let text = format!(
            "LEO_DOMAIN_NAME=leo.example.com\nLEO_CERTIFICATE_ARN={certificate}\nLEO_HOSTED_ZONE_ID={zone}"
        );
        sample("").with_file("env/.env", &text).load().unwrap().load_balancer.endpoint
    };
    let Endpoint::Https { domain, certificate } = of(arn, "") else { panic!("no HTTPS") };
    assert_eq!(domain.as_str(), "leo.example.com");
    assert!(
        matches!(certificate, Certificate::Existing { hosted_zone: None, arn: found } if found.as_str() == arn)
    );
    let Endpoint::Https { certificate, .. } = of(arn, "Z1ABC") else { panic!("no HTTPS") };
    assert!(matches!(certificate, Certificate::Existing { hosted_zone: Some(_), .. }));
    let Endpoint::Https { certificate, .. } = of("", "Z1ABC") else { panic!("no HTTPS") };
    assert!(matches!(certificate, Certificate::Issued { hosted_zone } if hosted_zone.as_str() == "Z1ABC"));
}

#[test]
fn a_protected_environment_needs_its_own_secrets_but_only_when_secrets_are_read() {
    let prod = sample(OWN).with("LEO_ENVIRONMENT", "prod").with_file("env/.env", "GITHUB_TOKEN=devs");
    assert!(prod.load().is_ok());
    let with_secrets = |sample: &Sample| {
        let file = SourceFile::new("infra/leo.toml", sample.leo_toml.as_str());
        let env = sample.env(SecretsPolicy::Read);
        load(&file, &schema(), &env, None).map_err(|findings| render_all(&findings, Colours::Plain))
    };
    insta::assert_snapshot!(with_secrets(&prod).unwrap_err(), @r"
    error: `env/.env.prod` is missing, and `prod` is protected
    hint: its secrets are in a file of its own, so that no other's reach it: `cargo xtask init --environment prod` makes it; a CI sets `LEO_SECRET_<KEY>` for every key instead
    ");
    assert!(with_secrets(&prod.clone().with_file("env/.env.prod", "GITHUB_TOKEN=prods")).is_ok());
    let mut ci = prod;
    for key in [
        "CLAUDE_CODE_OAUTH_TOKEN",
        "FLY_API_TOKEN",
        "GITHUB_TOKEN",
        "SUPABASE_URL",
        "SUPABASE_ANON_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
    ] {
        ci = ci.with(&format!("LEO_SECRET_{key}"), "value");
    }
    assert!(with_secrets(&ci).is_ok());
}

#[test]
fn warnings_do_not_stop_a_load() {
    let sample = sample("").with("GITHUB_TOKEN", "hush").with("LEO_SECRET_GITHUB_TOKN", "hush");
    let env = sample.env(SecretsPolicy::Read);
    let config = load(&SourceFile::new("infra/leo.toml", ""), &schema(), &env, None).unwrap();
    insta::assert_snapshot!(render_all(&warnings(&config, &schema(), &env), Colours::Plain), @r"
    warning: `LEO_SECRET_GITHUB_TOKN` is no secret of any provider
    hint: did you mean `LEO_SECRET_GITHUB_TOKEN`?

    warning: `GITHUB_TOKEN` in the process environment is not read
    hint: if it is meant, set `LEO_SECRET_GITHUB_TOKEN`, or write it into env/.env
    ");
}

#[test]
fn an_idle_timeout_that_cuts_quiet_websockets_is_a_warning() {
    let told = |toml: &str| {
        let sample = sample(toml);
        let config = sample.load().unwrap();
        render_all(&warnings(&config, &schema(), &sample.env(SecretsPolicy::Ignore)), Colours::Plain)
    };
    let with = |path: &str, idle: u32| {
        told(&format!("[load_balancer]\nidle_timeout_seconds = {idle}\n[orchestrator]\n{path}"))
    };
    let path = "websocket_path = \"/ws\"";
    insta::assert_snapshot!(with(path, 65), @r"
    warning: `load_balancer.idle_timeout_seconds` is 65: only the orchestrator's own pings keep a quiet WebSocket at /ws open for longer
    hint: a deploy holds one open for 65 s without a word and fails where it is cut: set more than that, unless the orchestrator pings its clients
    ");
    assert_eq!(
        [with(path, 66), with("", 65), told("[orchestrator]\nwebsocket_path = \"/ws\"")],
        ["", "", ""]
    );
}

#[test]
fn each_setting_is_told_with_the_place_that_it_counts_from() {
    let toml = "[environments.dev]\naccount = \"123456789012\"\nprofile = \"team\"\n";
    let sample = Sample::of(toml)
        .with_file("env/.env.defaults", "AWS_REGION=us-east-1\nLEO_ENVIRONMENT=dev\nAWS_PROFILE=all\n")
        .with_file("env/.env", "AWS_PROFILE=me\n")
        .with("AWS_REGION", "us-east-2");
    let outline = leo_config::outline(
        &SourceFile::new("infra/leo.toml", toml),
        &schema(),
        &sample.env(SecretsPolicy::Ignore),
    );
    let told: Vec<String> = outline
        .settings
        .into_iter()
        .map(|one| {
            let place = one.location.map(|at| format!("{}:{}", at.path, at.line));
            let from = place.or(one.origin.map(|origin| origin.to_string())).unwrap();
            format!("{}={} {from}", one.setting, one.value)
        })
        .collect();
    assert_eq!(
        told,
        [
            "AWS_REGION=us-east-2 the process environment",
            "LEO_ENVIRONMENT=dev env/.env.defaults:2",
            "AWS_ACCOUNT_ID=123456789012 infra/leo.toml:2",
            "AWS_PROFILE=me env/.env:1",
        ]
    );
}
