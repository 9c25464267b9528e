use sha2::{Digest, Sha256};

/// The first 128 bits of the SHA-256 over these lines. None of them may hold a line end.
pub(crate) fn fingerprint<'a>(lines: impl IntoIterator<Item = &'a str>) -> u128 {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line);
        hash.update("\n");
    }
    hash.finalize().iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}
