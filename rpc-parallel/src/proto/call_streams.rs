//! The streams of one call.

/// The streams of one call, of which most have none: then they take no more than a pointer in the tables of calls.
#[derive(Debug)]
pub(super) struct CallStreams<U, D>(Option<Box<Both<U, D>>>);

#[derive(Debug)]
struct Both<U, D> {
    /// Towards the callee, from number 1.
    uploads: Vec<U>,
    /// Towards the caller.
    download: D,
}

impl<U, D: Default> CallStreams<U, D> {
    /// Adds the uploads of a new call.
    #[inline]
    pub(super) fn open_uploads(&mut self, count: u8, open: impl Fn() -> U) {
        if count > 0 {
            self.both().uploads.extend((0..count).map(|_| open()));
        }
    }

    /// Adds the download.
    pub(super) fn open_download(&mut self, download: D) {
        self.both().download = download;
    }

    /// Whether the call has uploads.
    #[inline]
    pub(super) fn has_uploads(&self) -> bool {
        self.0.as_ref().is_some_and(|both| !both.uploads.is_empty())
    }

    /// An upload, by its number.
    pub(super) fn upload(&self, stream: u8) -> Option<&U> {
        self.0.as_ref()?.uploads.get(usize::from(stream).checked_sub(1)?)
    }

    /// An upload, by its number.
    pub(super) fn upload_mut(&mut self, stream: u8) -> Option<&mut U> {
        self.0.as_mut()?.uploads.get_mut(usize::from(stream).checked_sub(1)?)
    }

    /// The download. There may be one that was never opened.
    pub(super) fn download(&self) -> Option<&D> {
        Some(&self.0.as_ref()?.download)
    }

    /// The download. There may be one that was never opened.
    pub(super) fn download_mut(&mut self) -> Option<&mut D> {
        Some(&mut self.0.as_mut()?.download)
    }

    /// Whether one of them is unfinished.
    #[inline]
    pub(super) fn any(&self, upload: impl Fn(&U) -> bool, download: impl Fn(&D) -> bool) -> bool {
        self.0.as_ref().is_some_and(|both| download(&both.download) || both.uploads.iter().any(upload))
    }

    /// Forgets them.
    #[inline]
    pub(super) fn clear(&mut self) {
        if self.0.is_some() {
            self.0 = None;
        }
    }

    fn both(&mut self) -> &mut Both<U, D> {
        self.0.get_or_insert_with(|| Box::new(Both { uploads: Vec::new(), download: D::default() }))
    }
}

impl<U, D> Default for CallStreams<U, D> {
    fn default() -> Self {
        Self(None)
    }
}
