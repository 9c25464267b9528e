//! The local target's life, on this machine. What a test needs is in its name: `python_` the pinned Python tools (from the package
//! index, once), `docker_` an engine. Without it a test says why it does nothing; with `LEO_REQUIRE_ALL=1` it fails instead.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and says why it skips, its helpers too"
)]

mod containers;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use leo_local::{
    Engine, LocalError, LocalOptions, LocalTarget, PythonTools, attach, down, forward, status, up,
};
use tempfile::TempDir;

/// A state folder whose target ends with the test, also when it fails.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("local")
    }

    fn options(&self, tools: &PythonTools) -> LocalOptions {
        LocalOptions {
            state_dir: self.path(),
            python: tools.python(),
            account_id: "000000000000".into(),
            region: "eu-central-1".into(),
            forwarder_command: forwarder_command(),
            ready_within: Duration::from_mins(1),
        }
    }

    fn up(&self, tools: &PythonTools) -> LocalTarget {
        up(&self.options(tools))
            .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = down(&self.path());
    }
}

/// This test binary again, as the forwarder: with `--exact`, arguments that name no test choose none.
fn forwarder_command() -> Vec<std::ffi::OsString> {
    let mut command = vec![env::current_exe().unwrap().into_os_string()];
    command.extend(["forwarder_process", "--exact", "--ignored", "--nocapture"].map(Into::into));
    command
}

#[test]
#[ignore = "not a test: the forwarder's process"]
fn forwarder_process() {
    let args: Vec<String> = env::args().skip_while(|arg| arg != "--nocapture").skip(1).collect();
    if !args.is_empty() {
        forward::run_with_args(args).unwrap();
    }
}

fn skip(reason: &str) {
    assert!(env::var_os("LEO_REQUIRE_ALL").is_none_or(|all| all != "1"), "needed and missing: {reason}");
    println!("skipped: {reason}");
}

fn tools() -> Option<PythonTools> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match PythonTools::ensure(&root.join("target"), &root.join("ci/requirements.txt"), |text| {
        println!("{text}");
    }) {
        Ok(tools) => Some(tools),
        Err(error) => {
            skip(&format!("failed to {error}"));
            None
        }
    }
}

/// Status code and body of one request.
fn http(address: impl Into<SocketAddr>, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect_timeout(&address.into(), Duration::from_secs(5)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(
        stream,
        "{head}\r\nHost: local\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let code = answer.split_whitespace().nth(1).unwrap().parse().unwrap();
    (code, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

const RUN_TASK: &str = "POST / HTTP/1.1\r\nContent-Type: application/x-amz-json-1.1\r\n\
                        X-Amz-Target: AmazonEC2ContainerServiceV20141113.RunTask";

/// Runs Python with boto3 (it comes with the tools) against a target; `client(service)` is there. Returns what it printed.
fn boto(tools: &PythonTools, target: &LocalTarget, secret: &str, code: &str) -> String {
    let prelude = "import os, boto3, botocore\n\
                   def client(service):\n    \
                       return boto3.client(service, endpoint_url=os.environ['AT'], config=botocore.config.Config(\
                       retries={'max_attempts': 1}, s3={'addressing_style': 'path'}))\n\
                   def code_of(call):\n    \
                       try:\n        call()\n        return 'allowed'\n    \
                       except botocore.exceptions.ClientError as error:\n        return error.response['Error']['Code']\n";
    let output = Command::new(tools.python())
        .args(["-c", &format!("{prelude}{code}")])
        .env_clear()
        .envs(env::var_os("PATH").map(|path| ("PATH", path)))
        .env("AT", &target.endpoint)
        .env("AWS_REGION", &target.region)
        .env("AWS_DEFAULT_REGION", &target.region)
        .env("AWS_ACCESS_KEY_ID", &target.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn python_tools_are_installed_once() {
    let Some(tools) = tools() else { return };
    assert!(tools.bin("cfn-lint").is_file());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut said = Vec::new();
    let again = PythonTools::ensure(&root.join("target"), &root.join("ci/requirements.txt"), |text| {
        said.push(text.to_owned());
    });
    assert_eq!((again.unwrap(), said), (tools, Vec::new()));
}

#[test]
fn python_up_attach_and_down_leave_nothing() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    assert_eq!(place.up(&tools), target, "a second up is the first one");
    assert_eq!(attach(&place.path()).unwrap(), Some(target.clone()));
    let shown = status(&place.path()).unwrap();
    assert!(shown.running);
    assert_eq!(shown.endpoint.as_deref(), Some(target.endpoint.as_str()));

    let other = LocalOptions { region: "us-east-1".into(), ..place.options(&tools) };
    assert!(matches!(up(&other), Err(LocalError::OtherSettings { .. })));

    assert!(down(&place.path()).unwrap());
    assert_eq!(attach(&place.path()).unwrap(), None);
    assert!(TcpStream::connect(target.address()).is_err(), "nothing listens any more");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "no file is left");
    assert!(!down(&place.path()).unwrap());
}

#[test]
fn python_it_listens_on_loopback_and_the_bridge_alone() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    let suffix = format!(":{:04X}", target.port);
    let mut listeners = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[1].ends_with(&suffix) && fields[3] == "0A" {
                listeners.push(fields[1].to_owned());
            }
        }
    }
    listeners.sort();
    let address = |ip: std::net::Ipv4Addr| format!("{:08X}{suffix}", u32::from_le_bytes(ip.octets()));
    let mut expected = vec![address(std::net::Ipv4Addr::LOCALHOST)];
    expected.extend(target.engine.docker().map(|engine| address(engine.bridge.gateway)));
    expected.sort();
    assert_eq!(listeners, expected);
}

#[test]
fn python_an_unsigned_run_task_is_refused() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    let (code, body) = http(target.address(), RUN_TASK, r#"{"taskDefinition":"x"}"#);
    assert_eq!(code, 403);
    assert!(body.contains("MissingAuthenticationToken"), "{body}");
    for head in [
        "PUT /bucket HTTP/1.1",
        "GET / HTTP/1.1",
        "POST /_ministack/reset HTTP/1.1",
        "POST /_ministack/config HTTP/1.1",
        "GET /v2/credentials/x HTTP/1.1",
        "GET /_ministack/ready HTTP/1.1\r\nOrigin: http://example.com",
        "POST / HTTP/1.1\r\nAuthorization: Basic QVdTOng=",
    ] {
        assert_eq!(http(target.address(), head, "").0, 403, "{head}");
    }
    assert_eq!(http(target.address(), "GET /v2/ HTTP/1.1", "").0, 401, "the registry asks for its password");
}

#[test]
fn python_only_the_right_signature_is_root() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    let right = target.secret_access_key.expose();
    let call = "print(code_of(lambda: client('ecs').list_clusters()), code_of(lambda: client('s3').list_buckets()), \
                code_of(lambda: client('sts').get_caller_identity()))";
    assert_eq!(boto(&tools, &target, right, call), "allowed allowed allowed");
    let forged = "SignatureDoesNotMatch SignatureDoesNotMatch SignatureDoesNotMatch";
    assert_eq!(boto(&tools, &target, "wrong", call), forged);
    for key in ["test", "000000000000", "123456789012"] {
        let mut stranger = target.clone();
        stranger.access_key_id = key.into();
        assert!(!boto(&tools, &stranger, right, call).contains("allowed"), "{key} is not root");
    }
}

#[test]
fn python_the_registry_login_is_what_ecr_says() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    let code = "import base64\n\
                data = client('ecr').get_authorization_token()['authorizationData'][0]['authorizationToken']\n\
                print(base64.b64decode(data).decode())";
    let (user, password) = target.registry_login();
    let answer = boto(&tools, &target, target.secret_access_key.expose(), code);
    assert_eq!(answer, format!("{user}:{}", password.expose()));
}

#[test]
fn python_an_image_goes_as_it_does_from_ecr() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    let code = r"
import json
ecr = client('ecr')
ecr.create_repository(repositoryName='leo')
def put(manifest, kind, **tag):
    kind = f'application/vnd.oci.image.{kind}.v1+json'
    put = ecr.put_image(repositoryName='leo', imageManifest=json.dumps(manifest), imageManifestMediaType=kind, **tag)
    return put['image']['imageId']['imageDigest']
part = put({'config': {'size': 1}, 'layers': [{'size': 20}, {'size': 300}]}, 'manifest')
index = put({'manifests': [{'digest': part}]}, 'index', imageTag='one')
put({'manifests': [{'digest': part}]}, 'index', imageTag='two')
print([image['imageSizeInBytes'] for image in ecr.describe_images(repositoryName='leo')['imageDetails']])
def delete(**image):
    answer = ecr.batch_delete_image(repositoryName='leo', imageIds=[image])
    failures = [failure['failureCode'] for failure in answer['failures']]
    left = ecr.describe_images(repositoryName='leo')['imageDetails']
    print(len(answer['imageIds']), failures, [image.get('imageTags', []) for image in left])
delete(imageDigest=part)
delete(imageTag='one')
delete(imageTag='one')
delete(imageTag='two')
delete(imageDigest=part)
";
    let said = boto(&tools, &target, target.secret_access_key.expose(), code);
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "[321, 321]",
            "0 ['ImageReferencedByManifestList'] [[], ['one', 'two']]",
            "1 [] [[], ['two']]",
            "0 ['ImageNotFound'] [[], ['two']]",
            "1 [] [[]]",
            "1 [] []",
        ]
    );
}

#[test]
fn python_requests_and_websockets_pass_the_load_balancer() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    let answers = boto(&tools, &target, target.secret_access_key.expose(), include_str!("balanced.py"));
    let expected = "http /a/b?c=d\n\
                    http /a/b?c=d\n\
                    http /a/b?c=d\n\
                    http refused\n\
                    accepted leo\n\
                    path /ws?x=1\n\
                    text hello\n\
                    bytes 200000\n\
                    ping Pong\n\
                    closed 4001";
    assert_eq!(answers, expected);
}

#[test]
fn python_two_targets_stand_side_by_side() {
    let Some(tools) = tools() else { return };
    let (one, two) = (Place::new(), Place::new());
    let (first, second) = (one.up(&tools), two.up(&tools));
    assert_ne!(first.port, second.port);
    assert_ne!(first.secret_access_key, second.secret_access_key);
    let call = "print(code_of(lambda: client('ecs').list_clusters()))";
    let mut stranger = first.clone();
    stranger.endpoint.clone_from(&second.endpoint);
    assert_eq!(
        boto(&tools, &stranger, first.secret_access_key.expose(), call),
        "UnrecognizedClientException"
    );
    assert!(down(&one.path()).unwrap());
    assert_eq!(attach(&two.path()).unwrap(), Some(second));
}

#[test]
fn python_a_crashed_emulator_is_replaced() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let first = place.up(&tools);
    let saved: String = fs::read_to_string(place.path().join("state.json")).unwrap();
    let pid = saved.split("\"pid\":").nth(1).unwrap().split(',').next().unwrap().trim().to_owned();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    while attach(&place.path()).is_ok_and(|target| target.is_some()) {}
    let second = place.up(&tools);
    assert_ne!(first.secret_access_key, second.secret_access_key);
}

#[test]
fn python_without_an_engine_it_starts_and_says_so() {
    let Some(_) = tools() else { return };
    // The engine is looked for in the environment, which belongs to the whole process: so in one of its own.
    let output = Command::new(env::current_exe().unwrap())
        .args(["engineless_process", "--exact", "--ignored", "--nocapture"])
        .env("DOCKER_HOST", "unix:///no-such-engine.sock")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "run by python_without_an_engine_it_starts_and_says_so"]
fn engineless_process() {
    let place = Place::new();
    let target = place.up(&tools().unwrap());
    let Engine::None { reason } = &target.engine else {
        panic!("found an engine at a socket that is not there")
    };
    assert!(reason.contains("no Docker engine answers"), "{reason}");
    assert_eq!(status(&place.path()).unwrap().forwarding, None);
}

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing_running() {
    let place = Place::new();
    let script = place.folder.path().join("python");
    fs::write(&script, "#!/bin/sh\necho it is broken >&2\nexit 1\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let options = LocalOptions {
        state_dir: place.path(),
        python: script,
        account_id: "000000000000".into(),
        region: "eu-central-1".into(),
        forwarder_command: forwarder_command(),
        ready_within: Duration::from_secs(20),
    };
    let error = up(&options).unwrap_err();
    assert!(error.to_string().contains("it is broken"), "{error}");
    assert!(error.hint().unwrap().contains("emulator.log"));
    assert_eq!(attach(&place.path()).unwrap(), None);
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["emulator.log"]);
}
