//! cfn-lint, AWS's linter, over every combination of the settings that change which resources there are.

use crate::settings::stacks;
use leo_local::PythonTools;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Every combination, as `infra/leo.toml` has it.
fn combinations() -> Vec<String> {
    let switches = 7;
    (0..1 << switches)
        .map(|bits: u32| {
            let on = |switch: u32| bits & (1 << switch) != 0;
            let (certificate, zone, spot, arm, exec, three_zones, boundary) =
                (on(0), on(1), on(2), on(3), on(4), on(5), on(6));
            let mut toml = String::new();
            if certificate || zone {
                toml.push_str("domain = \"leo.example.com\"\n");
            }
            if certificate {
                toml.push_str(
                    "certificate_arn = \"arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n",
                );
            }
            if zone {
                toml.push_str("hosted_zone_id = \"Z0123456789ABC\"\n");
            }
            if three_zones {
                toml.push_str("[environments.dev.network]\nzones = [\"a\", \"b\", \"c\"]\n");
            }
            if boundary {
                toml.push_str("[environments.dev.identity]\npermissions_boundary = \"arn:aws:iam::123456789012:policy/boundary\"\n");
            }
            let architecture = if arm { "arm64" } else { "x86_64" };
            let capacity = if spot { "spot" } else { "on-demand" };
            toml + &format!(
                "[environments.dev.orchestrator]\narchitecture = \"{architecture}\"\ncapacity = \"{capacity}\"\nexec = {exec}\n\
                 read_only_root = {}\n[environments.dev.generator]\narchitecture = \"{architecture}\"\ncapacity = \"{capacity}\"\n",
                !exec
            )
        })
        .collect()
}

#[test]
fn python_cfn_lint_finds_nothing_in_any_combination() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = match PythonTools::ensure(&root.join("target"), &root.join("ci/requirements.txt"), |_| {}) {
        Ok(tools) => tools,
        Err(error) if std::env::var_os("LEO_REQUIRE_ALL").is_none() => {
            eprintln!("skipped: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let folder = tempfile::tempdir().expect("makes a folder");
    let mut seen = BTreeSet::new();
    let mut files: Vec<PathBuf> = vec![];
    for (index, toml) in combinations().iter().enumerate() {
        for stack in stacks(toml, "").all() {
            let json = stack.template.to_pretty_json();
            if seen.insert(json.clone()) {
                let file = folder.path().join(format!("{index:03}-{}.template.json", stack.name));
                fs::write(&file, json).expect("writes a template");
                files.push(file);
            }
        }
    }
    assert!(files.len() > 40, "the combinations differ: {}", files.len());
    // All regions' schemas would be a hundred times the work; the template's own region is the one that counts.
    let output = Command::new(tools.bin("cfn-lint"))
        .args(["--format", "parseable", "--regions", "us-east-1", "--"])
        .args(&files)
        .output()
        .expect("runs cfn-lint");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}
