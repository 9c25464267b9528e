//! The role that reads and changes values, and all others, which need not be able to: the policies are those that the
//! documentation shows, and the emulator evaluates them.

use super::{PROVIDERS, Values, call, done, there};
use crate::{
    http::query,
    workspace::{WorkTree, document, shown},
};
use leo_local::LocalTarget;
use serde_json::json;
use std::{fs, path::Path, process::Command};

/// The policies in docs/secrets.md, in their order, for the environment `dev` of the target.
fn documented(target: &LocalTarget) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/secrets.md");
    let text = fs::read_to_string(path).expect("is there");
    let blocks = text.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let filled = |policy: &str| {
        policy
            .replace("REGION", &target.region)
            .replace("ACCOUNT", &target.account_id)
            .replace("ENVIRONMENT", "dev")
    };
    blocks.map(filled).collect()
}

/// The access key of a new user with these policies.
fn user(target: &LocalTarget, name: &str, policies: &[&str]) -> (String, String) {
    let iam = |parameters: &[(&str, &str)]| {
        let answer = query(target, "iam", parameters);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    iam(&[("Action", "CreateUser"), ("UserName", name)]);
    for (number, policy) in policies.iter().enumerate() {
        let policy_name = format!("policy-{number}");
        iam(&[
            ("Action", "PutUserPolicy"),
            ("UserName", name),
            ("PolicyName", &policy_name),
            ("PolicyDocument", policy),
        ]);
    }
    let key = iam(&[("Action", "CreateAccessKey"), ("UserName", name)]);
    let part = |tag: &str| {
        let rest = key.split(&format!("<{tag}>")).nth(1).expect("is there");
        rest.split('<').next().unwrap_or_default().to_owned()
    };
    (part("AccessKeyId"), part("SecretAccessKey"))
}

/// The binary as it goes to AWS, but to the local target's address.
fn leo_infra(tree: &WorkTree, target: &LocalTarget, arguments: &[&str]) -> Command {
    let mut command = tree.leo_infra(arguments);
    command.env("AWS_ENDPOINT_URL", &target.endpoint).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

#[test]
fn python_the_documented_role_can_do_all_of_it_and_no_other_role_needs_to_read() {
    let values = Values::numbered(1);
    let tree = WorkTree::without_engine();
    values.write(&tree);
    done(&tree, &["deploy", "--local", "--with-secrets", "--yes", "--json"], 0);
    let target = tree.local_target();
    let policies = documented(&target);
    let [operator, denied] = policies.as_slice() else { panic!("two policies are shown: {policies:?}") };
    let operator = user(&target, "operator", &[operator]);
    let everything =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let deployer = user(&target, "deployer", &[&everything.to_string(), denied]);

    // By profile: the one for secrets is taken, and the other one is nobody's.
    tree.configure_all("[environments.dev]\nprofile = \"nobody\"\nsecrets_profile = \"operator\"\n");
    let credentials = tree.root().join("credentials");
    let text =
        format!("[operator]\naws_access_key_id = {}\naws_secret_access_key = {}\n", operator.0, operator.1);
    fs::write(&credentials, text).expect("writes");
    let as_operator = |arguments: &[&str]| {
        let mut command = leo_infra(&tree, &target, arguments);
        command.env("AWS_SHARED_CREDENTIALS_FILE", &credentials).env("AWS_CONFIG_FILE", "/dev/null");
        let output = command.output().expect("runs");
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        document(&output)
    };
    call(&target, "DeleteSecret", &json!({"SecretId": "leo/dev/flyio", "RecoveryWindowInDays": 7}));
    // This machine has seen nothing of this account yet.
    let restored = as_operator(&["secrets", "push", "--yes", "--json"]);
    assert_eq!(restored["status"], "unchanged", "{restored}");
    let second = values.with("GITHUB_TOKEN", 2);
    second.write(&tree);
    let pushed = as_operator(&["secrets", "push", "--yes", "--json"]);
    assert_eq!(pushed["status"], "pushed", "{pushed}");
    assert_eq!(there(&target), second.secrets());
    let status = as_operator(&["secrets", "status", "--json"]);
    assert_eq!((&status["in_sync"], &status["tasks_unknown"]), (&json!(true), &json!(null)), "{status}");

    // Whoever may do all but read: nothing is compared, so nothing is changed.
    let as_deployer = |arguments: &[&str]| {
        let mut command = leo_infra(&tree, &target, arguments);
        command.env("AWS_ACCESS_KEY_ID", &deployer.0).env("AWS_SECRET_ACCESS_KEY", &deployer.1);
        command.output().expect("runs")
    };
    let third = second.with("GITHUB_TOKEN", 3);
    third.write(&tree);
    let refused = as_deployer(&["secrets", "push", "--yes", "--json"]);
    assert_eq!(refused.status.code(), Some(4), "{}", shown(&refused));
    assert!(shown(&refused).contains("secrets_profile"), "{}", shown(&refused));
    third.assert_unseen(&refused);
    let status = as_deployer(&["secrets", "status", "--json"]);
    assert_eq!(status.status.code(), Some(0), "{}", shown(&status));
    let keys = super::states(&document(&status)).len();
    assert_eq!(keys, PROVIDERS.len());
    assert!(super::states(&document(&status)).values().all(|state| *state == "unread"), "{}", shown(&status));
    assert_eq!(there(&target), second.secrets());
}

/// A statement that somebody put into the role by hand: the templates are right, and IAM still says no.
#[test]
fn python_a_deploy_is_refused_where_iam_would_not_let_its_tasks_read() {
    let tree = WorkTree::without_engine();
    Values::numbered(1).write(&tree);
    let deploy = ["deploy", "--local", "--with-secrets", "--yes", "--json"];
    done(&tree, &deploy, 0);
    let target = tree.local_target();
    let listed = query(&target, "iam", &[("Action", "ListRoles")]).body;
    let role = listed
        .split("<RoleName>")
        .filter_map(|rest| rest.split('<').next())
        .find(|name| name.contains("OrchestratorExecution"))
        .expect("is there")
        .to_owned();
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]});
    let answer = query(
        &target,
        "iam",
        &[
            ("Action", "PutRolePolicy"),
            ("RoleName", &role),
            ("PolicyName", "by-hand"),
            ("PolicyDocument", &deny.to_string()),
        ],
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    let refused = tree.leo_infra(&deploy).output().expect("runs");
    assert_eq!(refused.status.code(), Some(1), "{}", shown(&refused));
    let said = shown(&refused);
    assert!(said.contains("their execution roles may not read the secrets"), "{said}");
    assert!(said.contains(&role) && said.contains("a statement forbids it"), "{said}");
    assert!(said.contains("take the statement that denies") && !said.contains("boundary"), "{said}");

    // What was done before a deploy that fails is said all the same.
    let new = Values::numbered(2).0["GITHUB_TOKEN"].clone();
    let rotated = super::rotate(&tree, "GITHUB_TOKEN", &new, &["--deploy", "--yes"]);
    assert_eq!(rotated.status.code(), Some(1), "{}", shown(&rotated));
    let told = document(&rotated);
    assert_eq!((&told["secret"], &told["changed"]), (&json!("leo/dev/github"), &json!(true)), "{told}");
    assert!(told["errors"].to_string().contains("may not read the secrets"), "{told}");
    assert!(shown(&rotated).contains("`GITHUB_TOKEN` has the new value"), "{}", shown(&rotated));
    assert_eq!(there(&target)["leo/dev/github"], json!({"GITHUB_TOKEN": new}));
}
