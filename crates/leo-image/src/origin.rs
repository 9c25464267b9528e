use crate::{Checked, ImageTag, PublishOptions, check};

/// What an image is built from: a source that was looked at.
pub(crate) struct Origin<'a> {
    pub(crate) checked: &'a Checked,
    pub(crate) options: &'a PublishOptions,
}

/// The tags that say what an image was built from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OriginTags<'a> {
    /// The source's.
    pub(crate) source: &'a ImageTag,
    /// The commit's, where the source is just what the commit has of it.
    pub(crate) commit: Option<&'a ImageTag>,
}

impl<'a> Origin<'a> {
    /// The tags of an image that was built between the look and now. `None` where something in the context was written
    /// since the look: then it is not known what an image was built from.
    pub(crate) async fn tags(&self) -> Option<OriginTags<'a>> {
        let Checked { plan, source, .. } = self.checked;
        // In this order: the source was the same before git was asked and after it.
        let commit = plan.commit_tag().await;
        let now = check::look(plan, self.options).await.ok()?;
        // The same content with other stamps was another one in between, and that may be what was built.
        let same = (&now.hash, &now.stamps) == (&source.hash, &source.stamps);
        same.then_some(OriginTags { source: &source.tags.new, commit })
    }
}
