use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leo_oci::{Connection, Login, OciError, SignIn, SignInFuture, copy};

use crate::bench::Bench;
use crate::gate::{Act, Gate};
use crate::image::{image, noise};
use crate::registry::{PASSWORD, USER};

const RIGHT: &str = "Basic QVdTOnJpZ2h0";

#[tokio::test]
async fn registry_layers_may_be_elsewhere_and_the_login_does_not_go_there() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 300_000), noise(2, 10)]);
    // Elsewhere: another host, which takes the signed address in place of a login.
    let bucket = Gate::start(&bench.source.host, |seen| {
        assert!(seen.path.contains("X-Amz-Signature=s"), "{seen:?}");
        Act::PassAs(RIGHT.to_owned())
    })
    .await;
    let elsewhere = bucket.host.clone();
    let registry = Gate::start(&bench.source.host, move |seen| {
        if !seen.is("GET", "/blobs/") {
            return Act::Pass;
        }
        let to = format!("http://{elsewhere}{}?X-Amz-Signature=s", seen.path);
        Act::Answer(format!(
            "HTTP/1.1 307 Temporary Redirect\r\nConnection: close\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        ))
    })
    .await;
    let from = Connection::new(&registry.host, &Login::new(USER, PASSWORD)).unwrap();
    let to = Connection::new(&bench.to.host, &Login::new(USER, PASSWORD)).unwrap();
    copy(&from, "leo", &image.digest, &to, "leo", bench.sink()).await.unwrap();
    assert!(bench.target.manifest("leo", &image.digest).is_some());
    assert_eq!(bucket.count("GET", "/blobs/"), 3);
    assert!(bucket.seen().iter().all(|seen| seen.authorization.is_none()), "{:?}", bucket.seen());
    assert!(registry.seen().iter().all(|seen| seen.authorization.as_deref() == Some(RIGHT)));
}

#[tokio::test]
async fn registry_a_layer_that_is_kept_elsewhere_is_there() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 3000)]);
    // What the signed address of a bucket answers to another method than it was signed for.
    let registry = Gate::start(&bench.target.host, |seen| {
        if seen.is("HEAD", "/blobs/") {
            let location = "https://bucket.example/x?X-Amz-Signature=s";
            return Act::Answer(format!(
                "HTTP/1.1 307 Temporary Redirect\r\nConnection: close\r\nLocation: {location}\r\n\r\n"
            ));
        }
        Act::Pass
    })
    .await;
    for blob in [&image.config, &image.layers[0]] {
        bench.target.store("leo", &std::fs::read(bench.source.blob(blob)).unwrap());
    }
    let from = Connection::new(&bench.from.host, &Login::new(USER, PASSWORD)).unwrap();
    let to = Connection::new(&registry.host, &Login::new(USER, PASSWORD)).unwrap();
    let copied = copy(&from, "leo", &image.digest, &to, "leo", bench.sink()).await.unwrap();
    assert_eq!((copied.blobs_present, copied.blobs_sent), (2, 0));
}

#[tokio::test]
async fn registry_an_upload_may_go_elsewhere_and_the_login_does_not() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 30_000)]);
    let elsewhere = Gate::start(&bench.target.host, |_| Act::PassAs(RIGHT.to_owned())).await;
    // A registry that names itself by another address: its `Location` is then that of another host.
    let other = elsewhere.host.clone();
    let registry = Gate::start(&bench.target.host, move |seen| {
        if seen.is("POST", "/blobs/uploads/") { Act::PassAsHost(other.clone()) } else { Act::Pass }
    })
    .await;
    let from = Connection::new(&bench.from.host, &Login::new(USER, PASSWORD)).unwrap();
    let to = Connection::new(&registry.host, &Login::new(USER, PASSWORD)).unwrap();
    copy(&from, "leo", &image.digest, &to, "leo", bench.sink()).await.unwrap();
    assert_eq!(elsewhere.count("PUT", "/blobs/uploads/"), 2);
    assert!(elsewhere.seen().iter().all(|seen| seen.authorization.is_none()));
}

#[tokio::test]
async fn registry_a_redirect_without_end_or_away_from_this_machine_in_the_clear_is_refused() {
    for location in ["/again", "http://registry.example/blob"] {
        let gate = Gate::start("127.0.0.1:9", move |_| {
            Act::Answer(format!(
                "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            ))
        })
        .await;
        let connection = Connection::new(&gate.host, &Login::new(USER, PASSWORD)).unwrap();
        let digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
        let error = connection.inspect("leo", &digest).await.unwrap_err();
        assert!(matches!(error, OciError::Answer { .. }), "{error}");
        assert!(gate.seen().len() <= 6, "{}", gate.seen().len());
    }
}

#[tokio::test]
async fn a_refusal_by_the_host_that_a_redirect_led_to_is_its_own() {
    let refusal = "<Error><Code>AccessDenied</Code><StringToSign>canary</StringToSign></Error>";
    for (status, body) in [("403 Forbidden", refusal), ("401 Unauthorized", "<html>canary")] {
        let bucket = Gate::start("127.0.0.1:9", move |_| answer(status, "", body)).await;
        let elsewhere = bucket.host.clone();
        let registry = Gate::start("127.0.0.1:9", move |seen| {
            let location = format!("Location: http://{elsewhere}{}?X-Amz-Signature=canary\r\n", seen.path);
            answer("307 Temporary Redirect", &location, "")
        })
        .await;
        let logins = Arc::new(Logins::default());
        let connection = Connection::signing_in(&registry.host, logins.clone()).unwrap();
        let digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
        let error = connection.inspect("leo", &digest).await.unwrap_err();
        let said = format!("failed to {error}\nhint: {}\n{:?}", error.hint().unwrap(), error.kind());
        assert!(!said.contains("canary"), "{said}");
        let said = said.replace(&bucket.host, "<bucket>").replace(&registry.host, "<registry>");
        insta::assert_snapshot!(said);
        assert_eq!((bucket.seen().len(), registry.seen().len()), (1, 1));
        assert_eq!(logins.0.load(Ordering::SeqCst), 1, "it is no matter of the login");
    }
}

fn answer(status: &str, header: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{header}Content-Length: {length}\r\n\r\n{body}"
    ))
}

/// How often a login was fetched.
#[derive(Default)]
struct Logins(AtomicUsize);

impl SignIn for Logins {
    fn login(&self) -> SignInFuture<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Login::new(USER, PASSWORD)) })
    }
}
