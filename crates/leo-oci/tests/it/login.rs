use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leo_aws::FailureKind;
use leo_oci::{Connection, Login, OciError, SignIn, SignInFuture, copy};

use crate::bench::Bench;
use crate::gate::{Act, Gate, Seen};
use crate::image::{image, noise};
use crate::registry::{PASSWORD, USER};

/// `AWS:right` in base64.
const RIGHT: &str = "Basic QVdTOnJpZ2h0";

/// Logins that are numbered, as if each were a new token.
struct Tokens(AtomicUsize);

impl SignIn for Tokens {
    fn login(&self) -> SignInFuture<'_> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(Login::encoded(format!("token{number}"))) })
    }
}

/// Lets a token through until it was used so often, then refuses it as ECR does.
fn expiring_after(requests: usize) -> impl Fn(&Seen) -> Act + Send + Sync + 'static {
    let before = AtomicUsize::new(0);
    move |seen| {
        let fresh =
            if before.fetch_add(1, Ordering::SeqCst) < requests { "Basic token0" } else { "Basic token1" };
        if seen.authorization.as_deref() == Some(fresh) {
            return Act::PassAs(RIGHT.to_owned());
        }
        let body = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"Your authorization token has expired. \
                    Reauthenticate and try again.\"}]}";
        Act::Answer(format!(
            "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}

#[tokio::test]
async fn registry_a_token_that_expires_in_the_middle_is_replaced_once() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 50_000), noise(2, 50_000)]);
    // After each request that there is, also between the question where to send a layer and the sending.
    for uses in 1..14 {
        let gate = Gate::start(&bench.target.host, expiring_after(uses)).await;
        let tokens = Arc::new(Tokens(AtomicUsize::new(0)));
        let from = Connection::new(&bench.from.host, &Login::new(USER, PASSWORD)).unwrap();
        let to = Connection::signing_in(&gate.host, tokens.clone()).unwrap();
        let repository = format!("leo{uses}");
        copy(&from, "leo", &image.digest, &to, &repository, bench.sink()).await.unwrap();
        assert!(bench.target.manifest(&repository, &image.digest).is_some());
        let expired = gate.seen().len() > uses;
        assert_eq!(tokens.0.load(Ordering::SeqCst), if expired { 2 } else { 1 }, "after {uses} uses");
    }
}

#[tokio::test]
async fn registry_a_login_that_is_wrong_is_a_matter_of_credentials_and_is_not_shown() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 5000)]);
    let login = Login::new("AWS", "canary");
    let error = bench.copy_as(&image.digest, &login).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
    let encoded = "QVdTOmNhbmFyeQ==";
    assert_eq!(bench.to.seen()[0].authorization.as_deref(), Some(&*format!("Basic {encoded}")));
    assert_eq!(bench.to.seen().len(), 2, "asked once, and once more with a new login");
    let to = Connection::new(&bench.to.host, &login).unwrap();
    let shown = format!("{error} {error:?} {:?} {to:?} {login:?} {:?}", error.hint(), bench.events());
    assert!(!shown.contains("canary") && !shown.contains(encoded), "{shown}");
    let said = error.to_string().replace(&bench.to.host, "HOST").replace(image.digest.as_str(), "DIGEST");
    insta::assert_snapshot!(said, @"look for HOST/v2/leo/manifests/DIGEST: access was denied: it does not know this login");
}

#[tokio::test]
async fn registry_no_login_at_all_is_the_signer_s_own_error() {
    struct Nobody;
    impl SignIn for Nobody {
        fn login(&self) -> SignInFuture<'_> {
            Box::pin(async { Err("the session has ended".into()) })
        }
    }
    let digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    let connection = Connection::signing_in("registry.example", Arc::new(Nobody)).unwrap();
    let error = connection.inspect("leo", &digest).await.unwrap_err();
    assert!(matches!(error, OciError::SignIn { .. }));
    assert_eq!(error.to_string(), "sign in to registry.example: the session has ended");
}
