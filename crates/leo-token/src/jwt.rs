//! JSON Web Tokens, as far as telling whose they are: no signature is checked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The payload of `header.payload.signature`, where the three are there and the second is base64url.
pub(crate) fn payload(token: &[u8]) -> Option<Vec<u8>> {
    let mut parts = token.split(|&byte| byte == b'.');
    let (_, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    (signature.len() >= 20).then(|| URL_SAFE_NO_PAD.decode(payload).ok()).flatten()
}

/// Whether a text is nothing but a token whose payload has this `role`.
pub(crate) fn has_role(token: &str, role: &str) -> bool {
    let payload = is_token(token).then(|| payload(token.as_bytes())).flatten().unwrap_or_default();
    let payload: String = String::from_utf8_lossy(&payload).split_whitespace().collect();
    payload.contains(&format!("\"role\":\"{role}\""))
}

/// Whether a text is nothing but a token.
pub(crate) fn is_token(text: &str) -> bool {
    text.starts_with("eyJ")
        && text.bytes().all(crate::alphabet::dotted)
        && text.matches('.').count() == 2
        && payload(text.as_bytes()).is_some_and(|payload| payload.starts_with(b"{"))
}
