use super::*;
use serde_json::json;

/// One task with one container that is given a key of each of these secrets, started by a role with these statements.
fn looked(named: &[&str], statements: &Json) -> Result<Vec<SecretsAccess>, Vec<String>> {
    let (foundation, platform) = templates(named, statements);
    told(&foundation, &platform)
}

fn templates(named: &[&str], statements: &Json) -> (Json, Json) {
    let foundation = json!({
        "Resources": {
            "One": {"Type": SECRET}, "Two": {"Type": SECRET}, "Bucket": {"Type": "AWS::S3::Bucket"},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {
                "Policies": [{"PolicyDocument": {"Statement": statements}}]}},
        },
        "Outputs": {
            "OneArn": {"Value": {"Fn::GetAtt": ["One", "Id"]}}, "TwoArn": {"Value": {"Ref": "Two"}},
            "RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
            "BucketArn": {"Value": {"Fn::GetAtt": ["Bucket", "Arn"]}},
        },
    });
    let secret = |name: &&str| json!({"Name": "X", "ValueFrom": {"Fn::Join": ["", [{"Ref": name}, ":X::"]]}});
    let secrets: Vec<Json> = named.iter().map(secret).collect();
    let platform = json!({"Resources": {"Task": {"Type": TASK_DEFINITION, "Properties": {
        "ExecutionRoleArn": {"Ref": "Role"}, "ContainerDefinitions": [{"Secrets": secrets}]}}}});
    (foundation, platform)
}

fn told(foundation: &Json, platform: &Json) -> Result<Vec<SecretsAccess>, Vec<String>> {
    let link = |(parameter, output): (&str, &str)| Link {
        output: output.to_owned(),
        parameter: parameter.to_owned(),
    };
    let links = [("OneArn", "OneArn"), ("TwoArn", "TwoArn"), ("Role", "RoleArn"), ("BucketArn", "BucketArn")];
    of(foundation, platform, &links.map(link))
        .map_err(|errors| errors.iter().map(|error| format!("failed to {error}")).collect())
}

fn allow(resource: &Json) -> Json {
    json!({"Sid": "Read", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": resource})
}

fn one() -> Json {
    json!({"Fn::GetAtt": ["One", "Id"]})
}

#[test]
fn exactly_what_is_named_is_proved() {
    let access = looked(&["OneArn", "TwoArn"], &json!([allow(&json!([one(), {"Ref": "Two"}]))]));
    let expected = SecretsAccess {
        task_definition: "Task".to_owned(),
        execution_role: "RoleArn".to_owned(),
        secrets: ["OneArn", "TwoArn"].map(str::to_owned).into(),
    };
    assert_eq!(access, Ok(vec![expected]));
    // Other permissions are another matter, and a task without secrets needs none.
    let other = json!([{"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": "*"}]);
    assert_eq!(looked(&[], &other), Ok(vec![]));
}

#[test]
fn a_broken_template_is_refused_for_what_is_wrong_with_it() {
    let deny = |resource: &Json| {
        let mut statement = allow(resource);
        statement["Effect"] = json!("Deny");
        statement["Action"] = json!(["secretsmanager:*"]);
        statement
    };
    let conditional = || {
        let mut statement = allow(&one());
        statement["Condition"] = json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}});
        statement
    };
    let except = json!({"Sid": "Most", "Effect": "Allow", "NotAction": ["s3:*"], "Resource": "*"});
    let found = [
        looked(&["OneArn"], &json!([])),
        looked(&["OneArn", "TwoArn"], &json!([allow(&one())])),
        looked(&["OneArn"], &json!([allow(&json!([one(), {"Ref": "Two"}]))])),
        looked(&[], &json!([allow(&one())])),
        looked(&["OneArn"], &json!([allow(&json!([one(), "arn:aws:secretsmanager:*:*:secret:leo/*"]))])),
        looked(&["OneArn"], &json!([allow(&json!("*"))])),
        looked(&["OneArn"], &json!([allow(&one()), deny(&one())])),
        looked(&["OneArn"], &json!([allow(&one()), deny(&json!("*"))])),
        looked(&["OneArn"], &json!([conditional()])),
        looked(&["OneArn"], &json!([allow(&one()), except])),
        looked(&["BucketArn"], &json!([])),
        looked(&["NowhereArn"], &json!([])),
    ];
    let found: Vec<String> = found.into_iter().map(|errors| errors.unwrap_err().join("\n")).collect();
    insta::assert_snapshot!(found.join("\n\n"));
}

#[test]
fn what_is_not_in_the_role_itself_counts_as_well() {
    let (mut foundation, mut platform) = templates(&["OneArn"], &json!([]));
    foundation["Resources"]["More"] = json!({"Type": "AWS::IAM::Policy", "Properties": {
        "Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": allow(&one())}}});
    assert!(told(&foundation, &platform).is_ok(), "a policy that is attached to it");
    foundation["Resources"]["Role"]["Properties"]["ManagedPolicyArns"] = json!(["arn:aws:iam::aws:policy/X"]);
    let expected =
        "failed to follow the secrets of `Task`: `Role` has managed policies, which are not in the template";
    assert_eq!(told(&foundation, &platform), Err(vec![expected.to_owned()]));

    let task = &mut platform["Resources"]["Task"]["Properties"];
    task["ContainerDefinitions"][0]["LogConfiguration"] =
        json!({"SecretOptions": [{"Name": "token", "ValueFrom": {"Ref": "TwoArn"}}]});
    task["ExecutionRoleArn"] = json!("arn:aws:iam::1:role/elsewhere");
    let expected =
        "failed to follow the secrets of `Task`: `ExecutionRoleArn` is \"arn:aws:iam::1:role/elsewhere\"";
    assert_eq!(told(&foundation, &platform), Err(vec![expected.to_owned()]));
}
