//! The artifacts bucket: template bodies, release records, one deploy at a time.
