//! What is kept of versions.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use leo_secrets::{Overwrite, Record};

use crate::given::{CANARY, CLAUDE, pushed};
use crate::service::Service;

#[tokio::test]
async fn it_is_private_and_holds_ids_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept/secrets/dev.json");
    assert_eq!(Record::load(&path).unwrap(), Record::default());

    let service = Service::with(&[(CLAUDE, None)]);
    let report = pushed(&service, "A=canary-8f3a-a B=canary-8f3a-b", &Record::default(), Overwrite::No).await;
    for _ in 0..2 {
        report.record.save(&path).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(CANARY) && text.contains(&service.version(CLAUDE)), "{text}");
    assert_eq!(Record::load(&path).unwrap(), report.record);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_is_no_record_is_said_with_its_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.json");
    for bad in ["", "{", "[]", r#"{"versions": {"x": 1}}"#, r#"{"other": {}}"#] {
        fs::write(&path, bad).unwrap();
        let error = Record::load(&path).unwrap_err();
        assert!(error.to_string().starts_with("read "), "{error}");
        assert!(error.hint().contains("rm "), "{}", error.hint());
    }
    let error = Record::default().save(&path.join("below.json")).unwrap_err();
    assert!(error.to_string().starts_with("write "), "{error}");
}
