//! What no linter sees, and what the design promises of the templates.

use crate::settings::{composed, properties, stacks};
use leo_config::testing::Sample;
use leo_stack::Stacks;
use serde_json::{Value, json};

fn default() -> Stacks {
    stacks("", "")
}

fn resources(stacks: &Stacks) -> impl Iterator<Item = (&str, &str, &Value)> {
    stacks
        .all()
        .flat_map(|stack| stack.template.resources())
        .map(|(id, body)| (id, body["Type"].as_str().unwrap_or_default(), body))
}

fn statements<'a>(stacks: &'a Stacks, role: &str) -> Vec<&'a Value> {
    let role = properties(&stacks.foundation, role);
    role["Policies"][0]["PolicyDocument"]["Statement"].as_array().into_iter().flatten().collect()
}

fn statement<'a>(stacks: &'a Stacks, role: &str, sid: &str) -> &'a Value {
    statements(stacks, role).into_iter().find(|one| one["Sid"] == sid).unwrap_or(&Value::Null)
}

#[test]
fn nothing_is_billed_by_the_hour_but_the_load_balancer_and_the_task() {
    for (id, kind, _) in resources(&default()) {
        assert!(!["AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::Instance"].contains(&kind), "{id}");
    }
}

#[test]
fn every_taggable_resource_says_whose_it_is() {
    // Amazon's schemas give these types no tags.
    let untaggable = [
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::EC2::Route",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::S3::BucketPolicy",
        "AWS::Route53::RecordSet",
    ];
    let stacks = stacks("domain = \"leo.example.com\"\nhosted_zone_id = \"Z0123456789ABC\"", "");
    for stack in stacks.all() {
        for (id, body) in stack.template.resources() {
            if untaggable.contains(&body["Type"].as_str().unwrap_or_default()) {
                continue;
            }
            let tags: Vec<&str> = body["Properties"]["Tags"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|tag| tag["Key"].as_str())
                .collect();
            let registry = stack.name.as_str() == "leo-registry";
            let wanted: &[&str] = if registry {
                &["leo:component", "leo:managed-by", "leo:stack"]
            } else {
                &["leo:component", "leo:environment", "leo:managed-by", "leo:stack"]
            };
            assert_eq!(tags, wanted, "{id}");
        }
    }
}

#[test]
fn every_security_group_says_what_goes_out() {
    let stacks = default();
    let groups: Vec<_> =
        resources(&stacks).filter(|(_, kind, _)| *kind == "AWS::EC2::SecurityGroup").collect();
    assert_eq!(groups.len(), 3);
    for (id, _, body) in groups {
        let egress = body["Properties"]["SecurityGroupEgress"].as_array();
        assert!(egress.is_some_and(|rules| !rules.is_empty()), "{id}");
    }
    let balancer = properties(&stacks.foundation, "LoadBalancerSecurityGroup");
    assert_eq!(balancer["SecurityGroupEgress"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        balancer["SecurityGroupEgress"][0]["DestinationSecurityGroupId"],
        json!({"Fn::GetAtt": ["OrchestratorSecurityGroup", "GroupId"]})
    );
    assert_eq!(properties(&stacks.foundation, "GeneratorSecurityGroup")["SecurityGroupIngress"], Value::Null);
}

#[test]
fn data_outlives_its_stack_and_a_failed_create_leaves_nothing_behind() {
    let stacks = default();
    let kinds = ["AWS::S3::Bucket", "AWS::ECR::Repository", "AWS::SecretsManager::Secret"];
    let data: Vec<_> = resources(&stacks).filter(|(_, kind, _)| kinds.contains(kind)).collect();
    assert_eq!(data.len(), 8);
    for (id, _, body) in data {
        assert_eq!(body["DeletionPolicy"], "RetainExceptOnCreate", "{id}");
        assert_eq!(body["UpdateReplacePolicy"], "Retain", "{id}");
    }
}

#[test]
fn no_statement_speaks_of_everything_where_aws_takes_less() {
    let stacks = stacks("[environments.dev.orchestrator]\nexec = true", "");
    let mut everything = vec![];
    for (id, kind, body) in resources(&stacks).filter(|(_, kind, _)| *kind == "AWS::IAM::Role") {
        assert_eq!(kind, "AWS::IAM::Role");
        for statement in
            body["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].as_array().into_iter().flatten()
        {
            if statement["Resource"] == json!(["*"]) {
                everything.push(format!("{id} {}", statement["Sid"].as_str().unwrap_or_default()));
            }
            assert!(!statement["Action"].to_string().contains('*'), "{id}");
        }
        assert_eq!(
            body["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"],
            json!({"StringEquals": {"aws:SourceAccount": [{"Ref": "AWS::AccountId"}]}}),
            "{id}"
        );
    }
    assert_eq!(
        everything,
        [
            "GeneratorExecutionRole SignInToRegistry",
            "OrchestratorExecutionRole SignInToRegistry",
            "OrchestratorTaskRole ListTasks",
            "OrchestratorTaskRole ShellIntoIt",
        ]
    );
    assert_eq!(
        statement(&stacks, "OrchestratorTaskRole", "ListTasks")["Condition"],
        json!({"ArnEquals": {"ecs:cluster": [{"Fn::GetAtt": ["Cluster", "Arn"]}]}})
    );
}

#[test]
fn the_orchestrator_starts_generators_and_nothing_else() {
    let stacks = default();
    let role = "OrchestratorTaskRole";
    let run = statement(&stacks, role, "StartGenerators");
    assert!(run["Resource"].to_string().contains("task-definition/leo-dev-generator:*"), "{run}");
    assert_eq!(run["Condition"]["ArnEquals"]["ecs:cluster"], json!([{"Fn::GetAtt": ["Cluster", "Arn"]}]));
    let pass = statement(&stacks, role, "PassGeneratorRoles");
    assert_eq!(
        pass["Resource"],
        json!([{"Fn::GetAtt": ["GeneratorExecutionRole", "Arn"]}, {"Fn::GetAtt": ["GeneratorTaskRole", "Arn"]}])
    );
    assert_eq!(pass["Condition"]["StringEquals"]["iam:PassedToService"], json!(["ecs-tasks.amazonaws.com"]));
    assert_eq!(
        statement(&stacks, role, "TagWhatItStarts")["Condition"],
        json!({"StringEquals": {"ecs:CreateAction": ["RunTask"]}})
    );
    let never = statement(&stacks, role, "NeverStopOrchestrators");
    assert_eq!(never["Effect"], "Deny");
    assert_eq!(never["Condition"]["StringEquals"]["aws:ResourceTag/leo:component"], json!(["orchestrator"]));
    let service = properties(&stacks.platform, "OrchestratorService");
    assert_eq!(service["PropagateTags"], "SERVICE");
    assert!(service["Tags"].to_string().contains(r#"{"Key":"leo:component","Value":"orchestrator"}"#));
}

#[test]
fn a_generator_lists_nothing_and_never_sees_the_service_role_key() {
    let stacks = default();
    let actions: Vec<&str> = statements(&stacks, "GeneratorTaskRole")
        .into_iter()
        .flat_map(|statement| statement["Action"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        actions,
        ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "secretsmanager:GetSecretValue"]
    );
    let generator = properties(&stacks.platform, "GeneratorTaskDefinition");
    assert!(!generator.to_string().to_lowercase().contains("supabase"));
    assert!(!statement(&stacks, "GeneratorTaskRole", "ReadSecrets").to_string().contains("Supabase"));
    let orchestrator = properties(&stacks.platform, "OrchestratorTaskDefinition");
    assert!(orchestrator.to_string().contains("SUPABASE_SERVICE_ROLE_KEY"));
}

#[test]
fn the_registry_is_the_same_for_every_environment() {
    let one = default();
    let other = stacks("[environments.dev.storage]\nobject_expiry_days = 3\nincomplete_upload_days = 5", "");
    assert_eq!(one.registry.template, other.registry.template);
    assert_ne!(one.foundation.template, other.foundation.template);
}

#[test]
fn what_a_container_may_rely_on_is_there() {
    let stacks = default();
    let names = |id: &str| -> Vec<String> {
        properties(&stacks.platform, id)["ContainerDefinitions"][0]["Environment"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|variable| variable["Name"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(names("GeneratorTaskDefinition"), ["AWS_REGION", "LEO_BUCKET", "LEO_ENVIRONMENT"]);
    assert_eq!(
        names("OrchestratorTaskDefinition"),
        [
            "AWS_REGION",
            "LEO_BUCKET",
            "LEO_CLUSTER",
            "LEO_ENVIRONMENT",
            "LEO_GENERATOR_ASSIGN_PUBLIC_IP",
            "LEO_GENERATOR_CAPACITY_PROVIDER",
            "LEO_GENERATOR_CONTAINER",
            "LEO_GENERATOR_SECURITY_GROUP",
            "LEO_GENERATOR_SUBNETS",
            "LEO_GENERATOR_TASK_DEFINITION",
            "PORT",
        ]
    );
}

#[test]
fn one_listener_keeps_port_80_when_an_environment_gets_a_domain() {
    let http = default();
    let https = stacks("domain = \"leo.example.com\"\nhosted_zone_id = \"Z0123456789ABC\"", "");
    let listeners = |stacks: &Stacks| -> Vec<(String, Value, Value)> {
        resources(stacks)
            .filter(|(_, kind, _)| *kind == "AWS::ElasticLoadBalancingV2::Listener")
            .map(|(id, _, body)| {
                (id.to_owned(), body["Properties"]["Port"].clone(), body["DependsOn"].clone())
            })
            .collect()
    };
    assert_eq!(listeners(&http), [("HttpListener".to_owned(), json!(80), Value::Null)]);
    assert_eq!(
        listeners(&https),
        [
            ("HttpListener".to_owned(), json!(80), json!(["HttpsListener"])),
            ("HttpsListener".to_owned(), json!(443), Value::Null),
        ]
    );
    assert_eq!(
        properties(&https.platform, "HttpListener")["DefaultActions"],
        json!([{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}])
    );
    // A rule of another description would be a second rule for the same addresses and port, which EC2 refuses.
    let ingress = |stacks: &Stacks| {
        properties(&stacks.foundation, "LoadBalancerSecurityGroup")["SecurityGroupIngress"]
            .as_array()
            .cloned()
    };
    let (before, after) = (ingress(&http).unwrap_or_default(), ingress(&https).unwrap_or_default());
    assert!(!before.is_empty() && before.iter().all(|rule| after.contains(rule)), "{before:?} {after:?}");
}

#[test]
fn what_ecs_does_not_roll_tasks_for_by_itself_forces_a_deployment() {
    let nonce = |toml: &str| {
        properties(&stacks(toml, "").platform, "OrchestratorService")["ForceNewDeployment"].to_string()
    };
    let usual = nonce("");
    assert!(usual.contains(r#"{"Ref":"SecretsRevision"}"#), "{usual}");
    let spot = nonce("[environments.dev.orchestrator]\ncapacity = \"spot\"");
    let exec = nonce("[environments.dev.orchestrator]\nexec = true");
    assert!(usual != spot && usual != exec && spot != exec, "{usual} {spot} {exec}");
    assert_eq!(usual, nonce("[environments.dev.orchestrator]\ndesired_count = 2"));
}

#[test]
fn the_containers_health_check_stays_within_what_ecs_takes() {
    let stacks = stacks(
        "[environments.dev.orchestrator.health]\ninterval_seconds = 300\ntimeout_seconds = 120\ngrace_period_seconds = 7200",
        "",
    );
    let container =
        properties(&stacks.platform, "OrchestratorTaskDefinition")["ContainerDefinitions"][0].clone();
    assert_eq!(container["HealthCheck"]["Timeout"], 60);
    assert_eq!(container["HealthCheck"]["StartPeriod"], 300);
    assert_eq!(properties(&stacks.platform, "TargetGroup")["HealthCheckTimeoutSeconds"], 120);
}

#[test]
fn a_template_fits_into_a_request() {
    for stack in default().all() {
        assert!(
            stack.template.to_minified_json().len() < leo_cfn::template::INLINE_BODY_BYTES,
            "{}",
            stack.name
        );
    }
}

#[test]
fn it_is_known_what_the_platform_stands_on() {
    let stacks = stacks("", "");
    let told: Vec<String> = stacks
        .consumed
        .iter()
        .map(|(resource, links)| {
            let parameters: Vec<&str> = links.iter().map(|link| link.parameter.as_str()).collect();
            format!("{resource}: {}", parameters.join(", "))
        })
        .collect();
    let expected = [
        "AppsBucket: AppsBucketName",
        "Cluster: ClusterName",
        "GeneratorExecutionRole: GeneratorExecutionRoleArn",
        "GeneratorSecurityGroup: GeneratorSecurityGroupId",
        "GeneratorTaskRole: GeneratorTaskRoleArn",
        "LoadBalancerSecurityGroup: LoadBalancerSecurityGroupId",
        "OrchestratorExecutionRole: OrchestratorExecutionRoleArn",
        "OrchestratorSecurityGroup: OrchestratorSecurityGroupId",
        "OrchestratorTaskRole: OrchestratorTaskRoleArn",
        "PublicSubnetA: PublicSubnetIds",
        "PublicSubnetB: PublicSubnetIds",
        "SecretClaude: SecretArnClaude",
        "SecretFlyio: SecretArnFlyio",
        "SecretGithub: SecretArnGithub",
        "SecretSupabase: SecretArnSupabase",
        "Vpc: VpcId",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_container_gets_a_secret_under_its_variable_from_its_json_key() {
    let schema = "[MODEL_KEY]\nprovider = 'model'\njson_key = 'token'\nconsumers = ['generator']\nhelp = 'h'\n\
                  [AWS_REGION]\nhelp = 'h'\n[LEO_ENVIRONMENT]\nhelp = 'h'\n";
    let sample =
        Sample::of("").with_schema(schema).with("LEO_ENVIRONMENT", "dev").with("AWS_REGION", "eu-west-1");
    let stacks = composed(&sample.load().unwrap());
    let secrets = |id| &properties(&stacks.platform, id)["ContainerDefinitions"][0]["Secrets"];
    let given = secrets("GeneratorTaskDefinition");
    assert_eq!(given.as_array().map(Vec::len), Some(1), "{given}");
    assert_eq!(given[0]["Name"], "MODEL_KEY");
    assert!(given[0]["ValueFrom"].to_string().contains(":token::"), "{given}");
    assert!(secrets("OrchestratorTaskDefinition").as_array().is_none_or(Vec::is_empty));
    let (_, kept) = stacks
        .foundation
        .template
        .resources()
        .find(|(_, body)| body["Type"] == "AWS::SecretsManager::Secret")
        .unwrap();
    assert_eq!(kept["Properties"]["Name"], "leo/dev/model");
}
