use super::*;
use crate::ImageTag;

const NOW: u64 = 2_000_000_000;

fn digest(letter: char) -> ImageDigest {
    format!("sha256:{}", letter.to_string().repeat(64)).parse().unwrap()
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// An image that is a year old: its letter, its tags, the letters of its parts.
fn image(letter: char, tags: &[&str], parts: &str) -> ListedImage {
    ListedImage {
        digest: digest(letter),
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        pushed_at: Some(at(NOW - 365 * 86_400)),
        pulled_at: None,
        bytes: 1,
        children: parts.chars().map(digest).collect(),
        subject: tags.iter().find_map(|tag| tag.parse::<ImageTag>().unwrap().subject()),
    }
}

fn by_digest(letter: char, by: User) -> Use {
    Use { image: Named::Digest(digest(letter)), by }
}

fn service(cluster: &str) -> User {
    let definition = format!("{cluster}-orchestrator:7");
    User::Service { cluster: cluster.to_owned(), service: "web".to_owned(), definition }
}

fn task() -> User {
    let [cluster, definition, task] = ["leo-dev", "leo-dev-generator:3", "1a2b"].map(str::to_owned);
    User::Task { cluster, definition, task }
}

fn release(environment: &str, number: u64) -> User {
    User::Release { environment: environment.to_owned(), number }
}

/// A line an image: its letter, `+` where it stays, the reasons.
fn decided(images: &[ListedImage], uses: &[Use]) -> String {
    let subject = Subject {
        repository: "leo",
        images,
        uses,
        oldest_kept: &[("dev".to_owned(), 5), ("gone".to_owned(), u64::MAX)].into(),
        now: at(NOW),
        fresh: FRESH,
    };
    let lines = judge(&subject).into_iter().map(|(digest, verdict)| {
        let letter = digest.as_str().chars().last().unwrap();
        let (sign, reasons): (char, Vec<String>) = match &verdict {
            Verdict::Stays(reasons) => {
                ('+', reasons.iter().map(|one| format!("{}: {one}", one.kind())).collect())
            }
            Verdict::Goes(reasons) => {
                ('-', reasons.iter().map(|one| format!("{}: {one}", one.kind())).collect())
            }
        };
        assert!(!reasons.is_empty(), "{letter} has no reason");
        format!("{letter} {sign} {}\n", reasons.join("; "))
    });
    lines.collect()
}

#[test]
fn every_reason_to_stay_and_to_go() {
    let mut pushed = [image('0', &[], ""), image('1', &[], ""), image('2', &[], ""), image('3', &[], "")];
    pushed[0].pushed_at = Some(at(NOW - FRESH.as_secs() + 1));
    pushed[1].pushed_at = Some(at(NOW - FRESH.as_secs()));
    // By another clock than ours.
    pushed[2].pushed_at = Some(at(NOW + 600));
    pushed[3].pushed_at = None;
    let images = [
        &pushed[..],
        &[
            image('4', &["git-1-amd64"], ""),
            image('5', &[], ""),
            image('6', &["src-1"], ""),
            image('7', &["release-dev-4"], ""),
            image('8', &["release-dev-5"], ""),
            image('9', &["release-gone-9"], ""),
            image('a', &["release-unknown-1"], ""),
            image('b', &["keep-elsewhere"], ""),
            image('c', &["cache-main-amd64"], ""),
            image('d', &["git-2-amd64", "release-dev-1", "release-dev-2"], ""),
            image('e', &["latest"], ""),
            image('f', &["git-3-amd64"], ""),
        ],
    ]
    .concat();
    let tagged = |repository: &str, tag: &str, by| Use {
        image: Named::Tag { repository: repository.to_owned(), tag: tag.parse().unwrap() },
        by,
    };
    let uses = [
        by_digest('4', service("leo-dev")),
        by_digest('4', User::Stack { stack: "leo-dev-platform".to_owned(), parameter: "Image".to_owned() }),
        by_digest('5', task()),
        by_digest('6', User::Promotion { environment: "prod".to_owned() }),
        by_digest('d', release("dev", 5)),
        tagged("leo", "latest", User::Definition("theirs:1".to_owned())),
        // The other repository's image has that tag, this one's has not.
        tagged("leo-saas-app", "git-3-amd64", task()),
    ];
    insta::assert_snapshot!(decided(&images, &uses));
}

#[test]
fn an_index_and_its_parts_stay_together() {
    // 1 and 2 are indexes that share part b; 3 is an index of an index; 4 has a part that is not in the list.
    let images = [
        image('1', &["git-1"], "ab"),
        image('2', &["git-2"], "bc"),
        image('3', &["git-3"], "2"),
        image('4', &["git-4"], "f"),
        image('a', &[], ""),
        image('b', &[], ""),
        image('c', &[], ""),
    ];
    let nothing = decided(&images, &[]);
    assert!(!nothing.contains('+'), "{nothing}");
    let shared = decided(&images, &[by_digest('1', service("leo-dev"))]);
    insta::assert_snapshot!(shared);
    // A task says which part it runs. By that alone either index may be what it was started from.
    insta::assert_snapshot!(decided(&images, &[by_digest('b', task())]));
    // Where it says which one it is, the other one is not needed.
    let uses = [by_digest('b', task()), by_digest('1', task())];
    insta::assert_snapshot!(decided(&images, &uses));
}

#[test]
fn what_describes_an_image_stays_and_goes_with_it() {
    let signature = |letter: char| format!("sha256-{}.sig", letter.to_string().repeat(64));
    let mut attestation = image('c', &[], "");
    attestation.subject = Some(digest('b'));
    let images = [
        image('a', &["git-1"], ""),
        image('b', &[&signature('a')], ""),
        attestation,
        image('d', &[&signature('e')], ""),
        image('f', &[&signature('9')], ""),
        image('e', &["git-2"], ""),
    ];
    insta::assert_snapshot!(decided(&images, &[by_digest('a', service("leo-dev"))]));
}

#[test]
fn an_index_goes_before_its_parts() {
    let images = [
        image('a', &[], ""),
        image('2', &[], "b"),
        image('1', &[], "a2"),
        image('b', &[], ""),
        image('c', &[], ""),
    ];
    let letters = |going: &str| -> Vec<String> {
        let going = going.chars().map(digest).collect();
        let letter = |image: &&ListedImage| image.digest.as_str().chars().last().unwrap();
        groups(&images, &going).iter().map(|group| group.iter().map(letter).collect()).collect()
    };
    assert_eq!(letters("12abc"), ["1c", "a2", "b"]);
    // Its index stays: ECR refuses it, and nothing waits for that.
    assert_eq!(letters("abc"), ["abc"]);
    assert_eq!(letters(""), [""; 0]);
    let mut circle = [image('1', &[], "2"), image('2', &[], "1")];
    circle.sort_by(|one, other| one.digest.cmp(&other.digest));
    assert_eq!(groups(&circle, &"12".chars().map(digest).collect()).len(), 1, "it ends all the same");
}
