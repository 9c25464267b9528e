use super::*;
use leo_deploy::StackStatus;

const BEFORE: &str = "# Settings.\nAWS_REGION='eu-central-1'   # near\n\nLEO_OUT_PROD_URL=https://leo.example.com\r\nLEO_ENVIRONMENT=dev\n";

fn wanted(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn outputs() -> BTreeMap<String, String> {
    wanted(&[
        ("LEO_OUT_DEV_CLUSTER_NAME", "leo-dev"),
        ("LEO_OUT_DEV_PUBLIC_SUBNET_IDS", "subnet-1,subnet-2"),
        ("LEO_OUT_DEV_URL", "http://leo-dev.example.com/?a=b&c"),
    ])
}

fn sync(text: &str, wanted: &BTreeMap<String, String>) -> (EnvFile, Vec<(String, Action)>) {
    let mut file = EnvFile::new(COMMITTED, Some(text.to_owned()));
    let owned = Owned::new("dev", &["dev", "prod"]);
    let changes = apply(&mut file, &owned, wanted).expect("is written");
    (file, changes.into_iter().map(|change| (change.key, change.action)).collect())
}

#[test]
fn outputs_are_added_below_one_line_that_says_what_they_are() {
    let (file, changes) = sync(BEFORE, &outputs());
    assert!(file.text().starts_with(BEFORE), "{}", file.text());
    assert_eq!(changes.len(), 3);
    insta::assert_snapshot!(&file.text()[BEFORE.len()..]);
    let (again, none) = sync(file.text(), &outputs());
    assert_eq!((again.text(), none.len()), (file.text(), 0));
}

#[test]
fn what_is_no_output_any_more_goes_and_what_is_anothers_stays() {
    let (full, _) = sync(BEFORE, &outputs());
    let quoted = full.text().replace("=leo-dev\n", "=\"leo-old\"   # by hand\n");
    let less = wanted(&[("LEO_OUT_DEV_CLUSTER_NAME", "leo-dev"), ("LEO_OUT_DEV_BUCKET", "b")]);
    let (file, changes) = sync(&quoted, &less);
    let changes: Vec<_> = changes.iter().map(|(key, action)| (key.as_str(), *action)).collect();
    assert_eq!(
        changes,
        [
            ("LEO_OUT_DEV_BUCKET", Action::Added),
            ("LEO_OUT_DEV_CLUSTER_NAME", Action::Changed),
            ("LEO_OUT_DEV_PUBLIC_SUBNET_IDS", Action::Removed),
            ("LEO_OUT_DEV_URL", Action::Removed),
        ]
    );
    insta::assert_snapshot!(report::diff(&file, &Owned::new("dev", &["dev"])));
    let (nothing, _) = sync(file.text(), &BTreeMap::new());
    assert!(nothing.text().contains("LEO_OUT_PROD_URL") && !nothing.text().contains("LEO_OUT_DEV"));
    let (back, _) = sync(nothing.text(), &less);
    assert_eq!(back.text().matches("# Outputs of `dev`").count(), 1, "{}", back.text());
}

#[test]
fn nothing_that_looks_like_a_secret_is_written_or_shown() {
    let token = ["ghp_", "k8Jq2Lx0VbN7sTz4WmRc9YpD3fHg6Ea1Uo5Q"].concat();
    let mut file = EnvFile::new(COMMITTED, Some(BEFORE.to_owned()));
    let owned = Owned::new("dev", &["dev"]);
    let leaking = wanted(&[("LEO_OUT_DEV_TOKEN", &token), ("LEO_OUT_DEV_URL", "http://a.example.com")]);
    let failure = apply(&mut file, &owned, &leaking).err().expect("is refused");
    let said = format!("{failure:?}");
    assert!(said.contains("LEO_OUT_DEV_TOKEN") && said.contains("a GitHub token"), "{said}");
    assert!(!said.contains(&token), "{said}");

    // What somebody else left in the file is not shown either, where its line is near a change or is one.
    let left = format!("{BEFORE}NOTE={token}\nLEO_OUT_DEV_OLD='{token}'\n# {token}\n");
    let mut file = EnvFile::new(COMMITTED, Some(left));
    let changes = apply(&mut file, &owned, &outputs()).expect("is written");
    let outcome = Outcome {
        environment: "dev".to_owned(),
        owned: Owned::new("dev", &["dev"]),
        file,
        written: true,
        wanted: outputs(),
        changes,
        left_out: vec![],
        stacks: vec![StackState {
            name: "leo-dev-platform".to_owned(),
            status: Some(StackStatus::CreateComplete),
        }],
    };
    let shown = format!("{}\n{:#}", outcome.text(), outcome.json());
    assert!(!shown.contains(&token), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn of_other_lines_no_value_is_shown() {
    // The last line has no end, so that it changes as well.
    let before = "# hunter1\nDB_PASSWORD=hunter2\nOLD=hunter3";
    let mut file = EnvFile::new(COMMITTED, Some(before.to_owned()));
    let owned = Owned::new("dev", &["dev"]);
    apply(&mut file, &owned, &outputs()).expect("is written");
    let shown = report::diff(&file, &owned);
    assert!(shown.contains("+LEO_OUT_DEV_CLUSTER_NAME=leo-dev\n") && !shown.contains("hunter"), "{shown}");
    insta::assert_snapshot!(shown);
}
