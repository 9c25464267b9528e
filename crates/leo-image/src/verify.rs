//! What the registry says of an image before it may run: whether its platform is the task definition's, and what it
//! weighs.

use leo_config::Architecture;
use leo_oci::{Connection, Inspected, Layer};

use crate::{ImageDigest, ImageError, ImageName, Repository};

/// Layers that a warning about an image's weight names.
const NAMED_LAYERS: usize = 3;
/// Bytes of a megabyte, as `budget_mb` and AWS's price list count them.
const MEGABYTE: u64 = 1_000_000;

/// An image, and what it has to be.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which image it is to be.
    pub image: ImageName,
    /// Where it is.
    pub repository: &'a Repository,
    /// Its digest, or that of an index that lists it.
    pub digest: &'a ImageDigest,
    /// What its task definition runs on.
    pub architecture: Architecture,
    /// What it may weigh in the registry, compressed, in megabytes.
    pub budget_mb: u32,
}

/// An image that fits its task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The image that a task will run: the digest that was asked for, or of an index the one for this platform.
    pub digest: ImageDigest,
    /// What it weighs in the registry, compressed, in bytes: what a task pulls.
    pub bytes: u64,
    /// Its layers, lowest first.
    pub layers: Vec<Layer>,
    /// That it weighs more than it may, and in which layers; for a warning.
    pub overweight: Option<String>,
}

/// Asks the registry what an image is.
///
/// # Errors
/// [`ImageError::WrongPlatform`]; [`ImageError::DigestMissing`] where the repository has no such image.
pub async fn verify(connection: &Connection, wanted: &Wanted<'_>) -> Result<Verified, ImageError> {
    let inspected = connection.inspect(&wanted.repository.name, wanted.digest).await?;
    judge(&inspected, wanted)
}

fn judge(inspected: &Inspected, wanted: &Wanted<'_>) -> Result<Verified, ImageError> {
    let Some((os, architecture)) = wanted.architecture.platform().split_once('/') else {
        return Err(ImageError::Answer { what: "a platform", problem: "it has no architecture".to_owned() });
    };
    let image = inspected.image_for(os, architecture).ok_or_else(|| ImageError::WrongPlatform {
        image: wanted.image,
        digest: wanted.digest.clone(),
        found: inspected.platforms.iter().map(ToString::to_string).collect(),
        wanted: wanted.architecture,
    })?;
    Ok(Verified {
        digest: image.digest.clone(),
        bytes: image.bytes,
        layers: image.layers.clone(),
        overweight: overweight(image, wanted.budget_mb, wanted.image),
    })
}

fn overweight(image: &Inspected, budget_mb: u32, name: ImageName) -> Option<String> {
    if image.bytes <= u64::from(budget_mb) * MEGABYTE {
        return None;
    }
    let mut layers: Vec<_> = image.layers.iter().enumerate().collect();
    layers.sort_by_key(|(_, layer)| std::cmp::Reverse(layer.bytes));
    let largest: Vec<_> = layers
        .iter()
        .take(NAMED_LAYERS)
        .map(|(place, layer)| format!("layer {} with {}", place + 1, megabytes(layer.bytes)))
        .collect();
    Some(format!(
        "it weighs {}, more than the {budget_mb} MB of `images.{name}.budget_mb`: the largest of its {} layers are {}",
        megabytes(image.bytes),
        image.layers.len(),
        largest.join(", ")
    ))
}

/// A size in megabytes, with one digit after the point.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(MEGABYTE);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use leo_oci::Platform;

    use super::*;

    fn digest(digit: char) -> ImageDigest {
        format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap()
    }

    fn image(digit: char, architecture: &str, layers: &[u64]) -> Inspected {
        let layers: Vec<_> =
            layers.iter().map(|bytes| Layer { digest: digest('f'), bytes: *bytes }).collect();
        Inspected {
            digest: digest(digit),
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            platforms: vec![Platform {
                os: "linux".to_owned(),
                architecture: architecture.to_owned(),
                variant: None,
            }],
            bytes: layers.iter().map(|layer| layer.bytes).sum(),
            layers,
            children: Vec::new(),
        }
    }

    fn index(children: Vec<Inspected>) -> Inspected {
        Inspected {
            digest: digest('a'),
            media_type: "application/vnd.oci.image.index.v1+json".to_owned(),
            platforms: children.iter().flat_map(|child| child.platforms.clone()).collect(),
            bytes: children.iter().map(|child| child.bytes).sum(),
            layers: children.iter().flat_map(|child| child.layers.clone()).collect(),
            children,
        }
    }

    fn judged(inspected: &Inspected, architecture: Architecture) -> Result<Verified, ImageError> {
        let repository = Repository { name: "leo".to_owned(), uri: "registry.example/leo".to_owned() };
        let (image, digest) = (ImageName::Generator, &inspected.digest);
        judge(inspected, &Wanted { image, repository: &repository, digest, architecture, budget_mb: 10 })
    }

    #[test]
    fn a_task_runs_the_image_of_an_index_that_is_for_its_processor() {
        let index = index(vec![image('b', "amd64", &[5]), image('c', "arm64", &[7, 9])]);
        let verified = judged(&index, Architecture::Arm64).unwrap();
        assert_eq!((verified.digest, verified.bytes, verified.layers.len()), (digest('c'), 16, 2));
        assert_eq!(verified.overweight, None);
        let alone = image('b', "amd64", &[5]);
        assert_eq!(judged(&alone, Architecture::X86_64).unwrap().digest, digest('b'));
    }

    #[test]
    fn an_image_for_another_processor_is_refused_before_it_runs() {
        let mut nameless = image('d', "", &[]);
        nameless.platforms.clear();
        let both = index(vec![image('b', "amd64", &[5]), image('c', "riscv64", &[7])]);
        let said = [image('b', "amd64", &[5]), both, nameless].map(|inspected| {
            let error = judged(&inspected, Architecture::Arm64).unwrap_err();
            assert_eq!(error.kind().exit_code(), 1);
            format!("failed to {error}\nhint: {}", error.hint().unwrap())
        });
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn an_image_that_weighs_too_much_says_in_which_layers() {
        let heavy = image('b', "amd64", &[1_000_001, 300, 8_000_000, 1_500_000]);
        insta::assert_snapshot!(judged(&heavy, Architecture::X86_64).unwrap().overweight.unwrap());
        let just = image('b', "amd64", &[10_000_000]);
        assert_eq!(judged(&just, Architecture::X86_64).unwrap().overweight, None);
    }
}
