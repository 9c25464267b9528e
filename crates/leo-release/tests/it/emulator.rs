//! The same against the S3 of the local target: what of S3's conditions it keeps.

use crate::records::new;
use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region},
    types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
    },
};
use leo_local::{LocalOptions, LocalTarget, PythonTools, down, forward, up};
use leo_release::{Address, Artifacts, Holder, Process, ReleaseError};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

/// A local target that ends with the test, also when it fails.
struct Place(TempDir);

impl Place {
    fn path(&self) -> PathBuf {
        self.0.path().join("local")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = down(&self.path());
    }
}

/// This test binary again, as the forwarder: with `--exact`, arguments that name no test choose none.
fn forwarder_command() -> Vec<std::ffi::OsString> {
    let mut command = vec![std::env::current_exe().unwrap().into_os_string()];
    command.extend(["emulator::forwarder_process", "--exact", "--ignored", "--nocapture"].map(Into::into));
    command
}

#[test]
#[ignore = "not a test: the forwarder's process"]
fn forwarder_process() {
    let args: Vec<String> = std::env::args().skip_while(|arg| arg != "--nocapture").skip(1).collect();
    if !args.is_empty() {
        forward::run_with_args(args).unwrap();
    }
}

fn started() -> Option<(Place, LocalTarget)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = PythonTools::ensure(&root.join("target"), &root.join("ci/requirements.txt"), |text| {
        println!("{text}");
    });
    let tools = match tools {
        Ok(tools) => tools,
        Err(error) => {
            let all = std::env::var_os("LEO_REQUIRE_ALL").is_some_and(|all| all == "1");
            assert!(!all, "needed and missing: failed to {error}");
            println!("skipped: failed to {error}");
            return None;
        }
    };
    let place = Place(tempfile::tempdir().unwrap());
    let target = up(&LocalOptions {
        state_dir: place.path(),
        python: tools.python(),
        account_id: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
        forwarder_command: forwarder_command(),
        ready_within: Duration::from_mins(1),
    });
    Some((place, target.unwrap_or_else(|error| panic!("{error}"))))
}

#[tokio::test]
async fn python_the_emulator_keeps_the_conditions() {
    let Some((_place, target)) = tokio::task::spawn_blocking(started).await.unwrap() else { return };
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(target.region.clone()))
        .endpoint_url(&target.endpoint)
        .force_path_style(true)
        .credentials_provider(Credentials::new(
            &target.access_key_id,
            target.secret_access_key.expose(),
            None,
            None,
            "local target",
        ));
    let client = Client::from_conf(config.build());
    let bucket = "leo-artifacts-111122223333-eu-central-1";
    let artifacts = Artifacts::new(client.clone(), bucket, Address::Endpoint(target.endpoint.clone()));
    let error = artifacts.releases("dev", None).await.unwrap_err();
    assert!(matches!(error, ReleaseError::NoBucket { .. }), "{error}");

    let here = BucketLocationConstraint::from(target.region.as_str());
    let here = CreateBucketConfiguration::builder().location_constraint(here).build();
    client.create_bucket().bucket(bucket).create_bucket_configuration(here).send().await.unwrap();
    let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket(bucket).versioning_configuration(versioned).send().await.unwrap();

    let staged = artifacts.stage("{}").await.unwrap();
    assert_eq!(artifacts.stage("{}").await.unwrap(), staged);
    assert_eq!(artifacts.template(&staged.sha256).await.unwrap(), "{}");

    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..5 {
        let artifacts = artifacts.clone();
        writers.spawn(async move { artifacts.record(new(&writer.to_string(), &writer.to_string())).await });
    }
    for recorded in writers.join_all().await {
        recorded.unwrap();
    }
    let history = artifacts.releases("dev", None).await.unwrap();
    assert_eq!(history.releases.iter().map(|release| release.number).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
    assert_eq!(history.unreadable, []);

    let holder = |user: &str| Holder {
        environment: "dev".to_owned(),
        operation: "operation".to_owned(),
        user: user.to_owned(),
        host: "laptop".to_owned(),
        process: Process::current(),
        commit: None,
        command: "deploy".to_owned(),
    };
    let has = |user: &'static str| artifacts.lease(holder(user), Duration::ZERO, &|_| {});
    let lease = has("ada").await.unwrap();
    assert!(matches!(has("grace").await, Err(ReleaseError::Held { holder, .. }) if holder.user == "ada"));
    let waited = std::sync::Mutex::new(None);
    let on_wait = |waiting: &leo_release::Waiting| *waited.lock().unwrap() = waiting.renewed;
    artifacts.lease(holder("grace"), Duration::from_secs(1), &on_wait).await.unwrap_err();
    let renewed = waited.into_inner().unwrap().expect("the emulator tells its time");
    assert!(renewed < Duration::from_secs(30), "{renewed:?}");
    lease.release().await.unwrap();
    // Deleted in a versioned bucket, and had again.
    let lease = has("grace").await.unwrap();
    // Someone else writes it: what is not ours any more is not deleted.
    let text = client.get_object().bucket(bucket).key("leases/dev.json").send().await.unwrap();
    let text = String::from_utf8(text.body.collect().await.unwrap().to_vec()).unwrap();
    let other = text.replace("\"token\": \"", "\"token\": \"x");
    let call = client.put_object().bucket(bucket).key("leases/dev.json").body(other.into_bytes().into());
    call.send().await.unwrap();
    lease.release().await.unwrap();
    client.head_object().bucket(bucket).key("leases/dev.json").send().await.expect("it is still there");
}
