//! Fragments composed into templates: what holds, and what is refused.

use leo_cfn::{
    Attributes, ComposeError, Fragment, Kind, Rule, Template, Value, join, join_list, logical_id, pseudo,
    select, sub,
    types::{
        ec2::{InternetGateway, RouteTable, Subnet, SubnetId, Vpc, VpcId},
        logs::LogGroup,
    },
};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

fn tags() -> BTreeMap<&'static str, String> {
    BTreeMap::from([("leo:stack", "leo-dev-foundation".to_owned())])
}

fn compose(fragments: impl IntoIterator<Item = Fragment>) -> Result<Template, Vec<ComposeError>> {
    Template::compose("A test", &tags(), fragments)
}

fn messages(fragments: impl IntoIterator<Item = Fragment>) -> Vec<String> {
    compose(fragments).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn vpc() -> Vpc {
    Vpc { cidr_block: "10.0.0.0/16".into(), enable_dns_hostnames: true, enable_dns_support: true }
}

fn log_group(name: &str) -> LogGroup {
    LogGroup { log_group_name: name.to_owned(), retention_in_days: 7 }
}

#[test]
fn a_template_has_its_sections_and_every_taggable_resource_its_tags() {
    let mut network = Fragment::new("networking", "network");
    let vpc = network.add(logical_id!("Vpc"), vpc());
    let gateway = network.add(logical_id!("Gateway"), InternetGateway {});
    network.add_with(
        logical_id!("Table"),
        Attributes::default().component("routes").after(&gateway).metadata("leo", json!({"why": "test"})),
        RouteTable { vpc_id: vpc.reference() },
    );
    network.output(logical_id!("VpcId"), "The VPC", vpc.reference());
    let template = compose([network]).expect("composes");
    assert_eq!(
        template.json(),
        &json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "A test",
            "Outputs": {"VpcId": {"Description": "The VPC", "Value": {"Ref": "Vpc"}}},
            "Resources": {
                "Gateway": {"Type": "AWS::EC2::InternetGateway", "Properties": {"Tags": [
                    {"Key": "leo:component", "Value": "network"},
                    {"Key": "leo:stack", "Value": "leo-dev-foundation"},
                ]}},
                "Table": {
                    "Type": "AWS::EC2::RouteTable",
                    "DependsOn": ["Gateway"],
                    "Metadata": {"leo": {"why": "test"}},
                    "Properties": {"VpcId": {"Ref": "Vpc"}, "Tags": [
                        {"Key": "leo:component", "Value": "routes"},
                        {"Key": "leo:stack", "Value": "leo-dev-foundation"},
                    ]},
                },
                "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {
                    "CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": true, "EnableDnsSupport": true,
                    "Tags": [
                        {"Key": "leo:component", "Value": "network"},
                        {"Key": "leo:stack", "Value": "leo-dev-foundation"},
                    ],
                }},
            },
        })
    );
}

#[test]
fn an_output_tells_which_resources_it_is_made_from() {
    let mut network = Fragment::new("networking", "network");
    let vpc = network.add(logical_id!("Vpc"), vpc());
    let gateway = network.add(logical_id!("Gateway"), InternetGateway {});
    let zone = network.parameter::<VpcId>(logical_id!("Zone"), "Which", None);
    network.output_list(
        logical_id!("Both"),
        "Two resources and a parameter",
        [vpc.reference().text(), gateway.reference().text(), zone.value().text()],
    );
    network.output(
        logical_id!("Path"),
        "A path",
        sub("${AWS::Region}/${Id}", [("Id", vpc.reference().text())]),
    );
    network.output(logical_id!("Nothing"), "No resource", pseudo::account_id());
    let template = compose([network]).expect("composes");
    let of = |key| template.resources_of_output(key).into_iter().collect::<Vec<_>>();
    assert_eq!(of("Both"), ["Gateway", "Vpc"]);
    assert_eq!(of("Path"), ["Vpc"]);
    assert_eq!((of("Nothing"), of("Missing")), (vec![], vec![]));
}

#[test]
fn parameters_conditions_and_intrinsics_render_as_cloudformation_reads_them() {
    let mut fragment = Fragment::new("a", "a");
    let rule = Rule { pattern: "subnet-.*", meaning: "a list of subnets" };
    let subnets = fragment.parameter::<Vec<SubnetId>>(logical_id!("Subnets"), "Where", Some(rule));
    let vpc = fragment.parameter::<VpcId>(logical_id!("VpcId"), "Which", None);
    let east = fragment.condition(logical_id!("InEast"), pseudo::region(), "us-east-1".into());
    fragment.add_with(
        logical_id!("Table"),
        Attributes::data().when(&east).signalled(1, "PT5M"),
        RouteTable { vpc_id: Value::if_(&east, &vpc.value(), &Value::no_value()) },
    );
    fragment.output(logical_id!("First"), "First subnet", select(0, &subnets.value()));
    fragment.output(logical_id!("Path"), "A path", sub("${AWS::Region}/${Id}", [("Id", vpc.value().text())]));
    fragment.output_list(logical_id!("All"), "All of it", [pseudo::account_id(), pseudo::partition()]);
    fragment.output(logical_id!("Host"), "A host", join(".", ["s3".into(), pseudo::url_suffix()]));
    fragment.output(logical_id!("Joined"), "A list", join_list(",", &subnets.value()));
    let template = compose([fragment]).expect("composes");
    let json = template.json();
    assert_eq!(json["Outputs"]["Joined"]["Value"], json!({"Fn::Join": [",", {"Ref": "Subnets"}]}));
    assert_eq!(json["Parameters"]["Subnets"]["Type"], "List<AWS::EC2::Subnet::Id>");
    assert_eq!(json["Parameters"]["Subnets"]["AllowedPattern"], "subnet-.*");
    assert_eq!(json["Conditions"]["InEast"], json!({"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}));
    let table = &json["Resources"]["Table"];
    assert_eq!(table["Condition"], "InEast");
    assert_eq!(table["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(table["UpdateReplacePolicy"], "Retain");
    assert_eq!(table["CreationPolicy"], json!({"ResourceSignal": {"Count": 1, "Timeout": "PT5M"}}));
    assert_eq!(
        table["Properties"]["VpcId"],
        json!({"Fn::If": ["InEast", {"Ref": "VpcId"}, {"Ref": "AWS::NoValue"}]})
    );
    assert_eq!(json["Outputs"]["First"]["Value"], json!({"Fn::Select": [0, {"Ref": "Subnets"}]}));
    assert_eq!(
        json["Outputs"]["Path"]["Value"],
        json!({"Fn::Sub": ["${AWS::Region}/${Id}", {"Id": {"Ref": "VpcId"}}]})
    );
    assert_eq!(
        json["Outputs"]["All"]["Value"],
        json!({"Fn::Join": [",", [{"Ref": "AWS::AccountId"}, {"Ref": "AWS::Partition"}]]})
    );
}

#[test]
fn all_problems_are_named_at_once_with_their_owners() {
    let mut elsewhere = Fragment::new("elsewhere", "x");
    let gone = elsewhere.add(logical_id!("Gone"), vpc());
    let condition = elsewhere.condition(logical_id!("Odd"), "a".into(), "b".into());

    let mut first = Fragment::new("first", "x");
    first.add(logical_id!("Twin"), log_group("/a"));
    first.add_with(
        logical_id!("Table"),
        Attributes::default().after(&gone).when(&condition),
        RouteTable { vpc_id: gone.reference() },
    );
    first.output(logical_id!("Bad"), "Unbound", sub("${Nowhere}/${Known}", [("Known", "x".into())]));
    let mut second = Fragment::new("second", "x");
    second.add(logical_id!("Twin"), log_group("/b"));
    assert_eq!(
        messages([first, second]),
        [
            "logical id `Twin` is defined by both `first` and `second`",
            "`first` refers to `Nowhere` at Bad.Value.Fn::Sub, but no fragment defines a binding of that name",
            "`first` refers to `Gone` at Table.Properties.VpcId.Ref, but no fragment defines a resource or \
             parameter of that name",
            "`first` refers to `Gone` at Table.DependsOn, but no fragment defines a resource of that name",
            "`first` refers to `Odd` at Table.Condition, but no fragment defines a condition of that name",
        ]
    );
}

#[test]
fn a_reference_to_a_thing_of_another_kind_dangles() {
    let mut fragment = Fragment::new("a", "a");
    let parameter = fragment.parameter::<String>(logical_id!("Odd"), "Not a condition", None);
    fragment.output(logical_id!("Out"), "x", parameter.value());
    let mut other = Fragment::new("b", "b");
    let odd = other.condition(logical_id!("Odd"), "a".into(), "a".into());
    let mut user = Fragment::new("c", "c");
    user.add_with(logical_id!("Logs"), Attributes::default().when(&odd), log_group("/x"));
    let errors = compose([fragment, user]).expect_err("a parameter is no condition");
    assert!(matches!(errors.as_slice(), [ComposeError::Dangling { kind: Kind::Condition, .. }]));
}

#[test]
fn circles_are_named() {
    let mut a = Fragment::new("a", "a");
    let mut ids = Fragment::new("ids", "a");
    let left = ids.add(logical_id!("Left"), log_group("/l"));
    let right = ids.add(logical_id!("Right"), log_group("/r"));
    a.add_with(logical_id!("Left"), Attributes::default().after(&right), log_group("/l"));
    a.add_with(logical_id!("Right"), Attributes::default().after(&left), log_group("/r"));
    assert_eq!(messages([a]), ["Left, Right depend on each other in a circle"]);
}

#[test]
fn what_cloudformation_would_refuse_is_refused_here() {
    let mut many = Fragment::new("many", "x");
    for index in 0..501 {
        many.add(logical_id!("Logs").indexed(index), log_group(&format!("/{index}")));
    }
    assert_eq!(
        messages([many]).first().map(String::as_str),
        Some("resources in a template: 501, but CloudFormation takes at most 500")
    );
    let long = "x".repeat(1025);
    let errors = Template::compose(&long, &tags(), []).expect_err("too long");
    assert_eq!(
        errors[0].to_string(),
        "bytes of a template's description: 1025, but CloudFormation takes at most 1024"
    );
}

#[test]
fn a_secret_can_not_be_pulled_into_a_template() {
    let mut fragment = Fragment::new("a", "a");
    fragment.add(logical_id!("Logs"), log_group("{{resolve:secretsmanager:leo/dev/claude}}"));
    assert_eq!(
        messages([fragment]),
        [
            "`a` has a dynamic reference at Logs.Properties.LogGroupName, which would put a secret into the resource"
        ]
    );
}

#[test]
fn a_null_property_is_not_written() {
    let mut fragment = Fragment::new("a", "a");
    let vpc = fragment.parameter::<VpcId>(logical_id!("VpcId"), "Which", None);
    fragment.add(
        logical_id!("Subnet"),
        Subnet {
            vpc_id: vpc.value(),
            cidr_block: "10.0.0.0/20".into(),
            availability_zone: "us-east-1a".into(),
            map_public_ip_on_launch: false,
        },
    );
    assert!(!compose([fragment]).expect("composes").to_minified_json().contains("null"));
}

proptest! {
    #[test]
    fn the_order_of_fragments_changes_no_byte(names in proptest::collection::btree_set("[A-Z][a-z]{1,8}", 1..12)) {
        let fragment = |name: &String| {
            let mut fragment = Fragment::new("x", "x");
            fragment.add(logical_id!("Logs").suffixed(name), log_group(name));
            fragment
        };
        let forwards = compose(names.iter().map(fragment)).expect("composes");
        let backwards = compose(names.iter().rev().map(fragment)).expect("composes");
        prop_assert_eq!(forwards.to_pretty_json(), backwards.to_pretty_json());
    }

    #[test]
    fn composing_never_panics(pattern in "[${}!A-Za-z.:]{0,24}") {
        let mut fragment = Fragment::new("x", "x");
        fragment.output(logical_id!("Out"), "x", sub(&pattern, []));
        drop(compose([fragment]));
    }
}
