use leo_config::{
    Architecture, Capacity, Endpoint, SecretKey, SecretRef,
    testing::{Sample, load},
};

#[test]
fn an_empty_file_gives_every_default() {
    let config = load("").unwrap();
    insta::assert_debug_snapshot!(config);
}

#[test]
fn subnets_are_the_first_parts_of_the_vpc_and_do_not_move_when_a_zone_is_added() {
    for vpc in ["10.0.0.0/16", "10.1.0.0/17", "172.16.0.0/18", "192.168.0.0/20", "192.168.9.128/25"] {
        let of = |zones: &str| {
            let config = load(&format!("[network]\nvpc_cidr = \"{vpc}\"\nzones = {zones}")).unwrap();
            config.network.subnets.iter().map(|subnet| subnet.cidr.to_string()).collect::<Vec<_>>()
        };
        let (two, three) = (of(r#"["a", "b"]"#), of(r#"["a", "b", "c"]"#));
        assert_eq!(two, three[..2], "{vpc}");
    }
    let default = load("").unwrap();
    let subnets: Vec<String> =
        default.network.subnets.iter().map(|subnet| format!("{} {}", subnet.zone, subnet.cidr)).collect();
    assert_eq!(subnets, ["us-east-1a 10.0.0.0/20", "us-east-1b 10.0.16.0/20"]);
}

#[test]
fn an_environment_overrides_single_settings_of_any_table() {
    let toml = r#"
        [orchestrator]
        vcpu = 0.25
        memory_gib = 0.5
        capacity = "spot"
        [orchestrator.environment]
        LOG_LEVEL = "info"
        REGION_NAME = "all"
        [environments.dev.orchestrator]
        memory_gib = 2
        architecture = "arm64"
        [environments.dev.orchestrator.environment]
        LOG_LEVEL = "debug"
        [environments.dev.orchestrator.health]
        interval_seconds = 30
        [environments.prod.orchestrator]
        capacity = "on-demand"
    "#;
    let config = load(toml).unwrap();
    let orchestrator = &config.orchestrator;
    assert_eq!((orchestrator.size.cpu_units(), orchestrator.size.memory_mib()), (256, 2048));
    assert_eq!((orchestrator.capacity, orchestrator.architecture), (Capacity::Spot, Architecture::Arm64));
    assert_eq!(orchestrator.health.interval_seconds, 30);
    let variables: Vec<_> =
        orchestrator.environment.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(variables, ["LOG_LEVEL=debug", "REGION_NAME=all"]);
}

#[test]
fn secrets_are_what_the_schema_declares_and_a_container_gets_what_names_it() {
    let secret = |name: &str, provider: &str, rest: &str| {
        format!("[{name}]\nprovider = '{provider}'\nhelp = 'h'\n{rest}\n")
    };
    let schema = secret("TWO", "s3", "consumers = ['orchestrator']")
        + &secret("ONE", "s3", "consumers = ['orchestrator']\njson_key = 'one'")
        + &secret("BOTH", "a", "consumers = ['generator', 'orchestrator']");
    let sample =
        Sample::of("").with_schema(&schema).with("LEO_ENVIRONMENT", "dev").with("AWS_REGION", "us-east-1");
    let config = sample.load().unwrap();
    let keys = |keys: &[SecretKey]| {
        let pair = |key: &SecretKey| format!("{}={}", key.variable, key.json_key);
        keys.iter().map(pair).collect::<Vec<_>>().join(" ")
    };
    let providers: Vec<_> =
        config.secrets.iter().map(|secret| format!("{}: {}", secret.name, keys(&secret.keys))).collect();
    assert_eq!(
        providers,
        ["a: BOTH=BOTH", "s3: TWO=TWO ONE=one"],
        "providers by name, keys as they are declared"
    );
    let given = |secrets: &[SecretRef]| {
        secrets
            .iter()
            .map(|secret| format!("{}: {}", secret.provider, keys(&secret.keys)))
            .collect::<Vec<_>>()
    };
    assert_eq!(given(&config.orchestrator.secrets), providers);
    assert_eq!(given(&config.generator.secrets), ["a: BOTH=BOTH"]);
}

#[test]
fn without_a_domain_the_endpoint_is_http() {
    assert_eq!(load("").unwrap().load_balancer.endpoint, Endpoint::Http);
}
