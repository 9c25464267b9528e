//! What nobody can guess.

/// 128 bits from the operating system's random numbers as 32 lower-case hexadecimal digits.
pub(crate) fn digits() -> Result<String, getrandom::Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bits)))
}
